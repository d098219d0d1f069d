#include "core/request.h"

#include "core/variant.h"

uint32_t cts_request_power_above(uint32_t n)
{
    uint32_t p = 1;
    while (p < n)
        p <<= 1;
    return p;
}

uint32_t cts_request_stride(const struct cts_layout *l)
{
    uint32_t bytes = CTS_ENTRY_MEM + l->mem_bytes;
    if (l->stack_off)
        bytes = l->stack_off + 2 * CTS_STACK_BYTES;
    return cts_request_power_above(bytes);
}

static void fill_objects(const struct cts_seg *seg, struct cts_request_objects *o,
                         struct cts_load_req *req)
{
    const struct cts_pack *p = seg->pack;
    const struct cts_pk_unit *u = seg->unit;
    for (uint32_t i = 0; i < u->maps.count && i < CTS_ITEM_MAPS; i++, req->map_count++) {
        const struct cts_pk_map *m = &p->maps[u->maps.first + i];
        o->map[i] =
            (struct cts_map_def){m->value_bytes, m->entries,
                                 p->data + (seg->be && m->be != UINT32_MAX ? m->be : m->data)};
    }
    for (uint32_t i = 0; i < u->names.count && i < CTS_ITEM_NAMES; i++, req->name_count++)
        o->name[i] = cts_pack_text(p, p->string_refs[u->names.first + i]);
    req->maps = o->map;
    req->names = o->name;
}

struct cts_load_req cts_request_load(const struct cts_seg *seg, const struct cts_layout *layout,
                                     uint32_t bodies, struct cts_request_objects *objects)
{
    struct cts_load_req req = {.kind = layout ? CTS_PROG_WINDOW : CTS_PROG_WHOLE,
                               .packet = seg->unit->flags & CTS_UF_PACKET,
                               .layout = layout,
                               .segments = layout ? bodies : 0};
    fill_objects(seg, objects, &req);
    return req;
}

struct cts_run_req cts_request_run(const struct cts_seg *seg, bool whole, uint32_t iterations)
{
    const struct cts_pk_unit *u = seg->unit;
    struct cts_run_req req = {.iterations = u->repeat > 1 ? u->repeat
                                            : iterations  ? iterations
                                                          : 1,
                              .threads = u->threads,
                              .packet = u->packet.count ? seg->pack->data + u->packet.first : NULL,
                              .packet_bytes = u->packet.count};
    if (whole && u->flags & CTS_UF_FUNCTION)
        req.packet = cts_seg_whole_memory(seg, &req.packet_bytes);
    return req;
}
