#include "platform.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static const uint64_t einval = (uint64_t)-22, e2big = (uint64_t)-7;

static struct ref_platform *owner(const struct cts_mach *m)
{
    return m->platform->owner;
}

/* Maps */

static uint64_t map_handle(uint32_t n)
{
    return REF_MAP_BASE + ((uint64_t)n << 12);
}

static uint64_t map_by_number(struct cts_mach *m, int32_t n)
{
    if (n >= 0 && (uint32_t)n < owner(m)->maps)
        return map_handle((uint32_t)n);
    cts_mach_fault(m, CTS_MACH_FAULT_PLATFORM, "there is no map of that number");
    return 0;
}

static const struct ref_map *map_of_handle(struct cts_mach *m, uint64_t handle)
{
    const struct ref_platform *p = owner(m);
    for (uint32_t i = 0; i < p->maps; i++)
        if (map_handle(i) == handle)
            return &p->map[i];
    cts_mach_fault(m, CTS_MACH_FAULT_PLATFORM, "not a map");
    return NULL;
}

/* The window's value is the memory of the row that runs, or the window itself. */
static uint64_t first_value(const struct cts_mach *m, const struct ref_map *map)
{
    return map->host ? map->value : m->region[0].base;
}

static uint64_t map_val(struct cts_mach *m, uint64_t handle)
{
    const struct ref_map *map = map_of_handle(m, handle);
    return map ? first_value(m, map) : 0;
}

static uint64_t help_map_lookup(struct cts_mach *m)
{
    const struct ref_map *map = map_of_handle(m, m->r[1]);
    uint32_t key = (uint32_t)cts_mach_load(m, m->r[2], 4);
    if (!map || m->stop != CTS_MACH_RUNNING || key >= map->entries)
        return 0;
    return first_value(m, map) + (uint64_t)key * map->value_bytes;
}

/* Variables and functions by name */

static enum ref_name name_at(const struct ref_platform *p, int32_t index)
{
    return index >= 0 && (uint32_t)index < p->names ? (enum ref_name)p->name[index]
                                                    : REF_NAME_UNKNOWN;
}

static uint64_t var_addr(struct cts_mach *m, int32_t id)
{
    if (name_at(owner(m), id) == REF_NAME_VAR)
        return REF_VAR_BASE;
    cts_mach_fault(m, CTS_MACH_FAULT_PLATFORM, "there is no variable of that number");
    return 0;
}

static uint64_t weighted_sum(const struct cts_mach *m)
{
    return m->r[1] + 2 * m->r[2] + 4 * m->r[3] + 8 * m->r[4] + 16 * m->r[5];
}

static uint64_t btf_call(struct cts_mach *m, int32_t id)
{
    switch (name_at(owner(m), id)) {
    case REF_NAME_SUM:
        return weighted_sum(m);
    case REF_NAME_RCU_LOCK:
    case REF_NAME_RCU_UNLOCK:
        return cts_mach_unspecified(0);
    case REF_NAME_VAR:
    case REF_NAME_UNKNOWN:
        break;
    }
    cts_mach_fault(m, CTS_MACH_FAULT_CALL, "there is no function of that number");
    return 0;
}

/* Helpers */

static uint64_t help_hash(struct cts_mach *m)
{
    uint64_t h = 0;
    for (unsigned i = 1; i <= 5; i++) {
        h ^= m->r[i];
        h = (h << 13 | h >> 51) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return h;
}

static uint64_t help_sum(struct cts_mach *m)
{
    return weighted_sum(m);
}

static uint64_t help_constant(struct cts_mach *m)
{
    (void)m;
    return UINT64_C(0xc0ffee00c0ffee);
}

static uint32_t add_with_carry(uint32_t a, uint32_t b)
{
    uint64_t sum = (uint64_t)a + b;
    return (uint32_t)sum + (uint32_t)(sum >> 32);
}

/* Ones' complement sum of the words of a buffer, in the machine's byte order, on top of `sum`. */
static uint32_t csum_add_buffer(struct cts_mach *m, uint64_t at, uint32_t bytes, uint32_t sum)
{
    for (uint32_t i = 0; i < bytes && m->stop == CTS_MACH_RUNNING; i += 4)
        sum = add_with_carry(sum, (uint32_t)cts_mach_load(m, at + i, 4));
    return sum;
}

static uint16_t csum_fold(uint32_t sum)
{
    sum += sum >> 16 | sum << 16;
    return (uint16_t)(sum >> 16);
}

static uint64_t help_csum_diff(struct cts_mach *m)
{
    uint32_t from_bytes = (uint32_t)m->r[2], to_bytes = (uint32_t)m->r[4];
    uint32_t sum = (uint32_t)m->r[5];
    if ((from_bytes | to_bytes) % 4 != 0)
        return einval;
    if (from_bytes && to_bytes)
        sum = add_with_carry(csum_add_buffer(m, m->r[3], to_bytes, sum),
                             ~csum_add_buffer(m, m->r[1], from_bytes, 0));
    else if (to_bytes)
        sum = csum_add_buffer(m, m->r[3], to_bytes, sum);
    else if (from_bytes)
        sum = ~csum_add_buffer(m, m->r[1], from_bytes, ~sum);
    return csum_fold(sum);
}

static uint64_t help_loop(struct cts_mach *m)
{
    enum { MOST_LOOPS = 1 << 23 };
    uint32_t times = (uint32_t)m->r[1];
    uint64_t code = m->r[2];
    uint64_t args[5] = {0, m->r[3], cts_mach_unspecified(3), cts_mach_unspecified(4),
                        cts_mach_unspecified(5)};
    if (m->r[4] != 0)
        return einval;
    if (times > MOST_LOOPS)
        return e2big;
    for (uint32_t i = 0; i < times; i++) {
        args[0] = i;
        uint64_t again = cts_mach_call_back(m, code, args);
        if (m->stop != CTS_MACH_RUNNING)
            return 0;
        if (again != 0)
            return i + 1;
    }
    return times;
}

/* Those of .data files: runtimes/reference/README.md. */

static uint64_t help_gather(struct cts_mach *m)
{
    uint64_t all = 0;
    for (unsigned i = 1; i <= 5; i++)
        all = all << 8 | (m->r[i] & 0xff);
    return all;
}

enum { MOST_BYTES = 4096 }; /* that they go through */

static uint64_t help_frob(struct cts_mach *m)
{
    uint64_t at = m->r[1], bytes = m->r[2] < MOST_BYTES ? m->r[2] : MOST_BYTES;
    for (uint64_t i = 0; i < bytes && m->stop == CTS_MACH_RUNNING; i++)
        cts_mach_store(m, at + i, 1, cts_mach_load(m, at + i, 1) ^ 42);
    return 0;
}

static uint64_t help_nothing(struct cts_mach *m)
{
    (void)m;
    return 0;
}

static uint64_t help_root(struct cts_mach *m)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= m->r[1])
            root |= bit;
    return root;
}

static uint64_t help_compare(struct cts_mach *m)
{
    for (uint64_t i = 0; i < MOST_BYTES && m->stop == CTS_MACH_RUNNING; i++) {
        uint64_t a = cts_mach_load(m, m->r[1] + i, 1), b = cts_mach_load(m, m->r[2] + i, 1);
        if (a != b || a == 0)
            return a - b;
    }
    return 0;
}

static uint64_t call_helper(struct cts_mach *m, int32_t id)
{
    static const struct {
        int32_t id;
        uint64_t (*call)(struct cts_mach *m);
    } helpers[] = {
        {1, help_map_lookup},  {28, help_csum_diff},   {181, help_loop},
        {0x7000, help_sum},    {0x7001, help_hash},    {0x7002, help_constant},
        {0x7100, help_gather}, {0x7101, help_frob},    {0x7102, help_nothing},
        {0x7103, help_root},   {0x7104, help_compare},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(helpers); i++)
        if (helpers[i].id == id)
            return helpers[i].call(m);
    cts_mach_fault(m, CTS_MACH_FAULT_CALL, "there is no helper function of that number");
    return 0;
}

/* Packet access, as Linux does it: offsets are s32, those below 0 (Linux: ancillary data) are none
 * of ours. */
static uint64_t packet_load(struct cts_mach *m, uint64_t at, unsigned bytes)
{
    const struct ref_platform *p = owner(m);
    int32_t offset = (int32_t)(uint32_t)at;
    if (!p->has_packet || m->r[6] != REF_CTX_BASE) {
        cts_mach_fault(m, CTS_MACH_FAULT_PLATFORM, "packet access without the context in r6");
        return 0;
    }
    cts_mach_clobber(m);
    if (offset < 0 || (uint32_t)offset > p->packet_bytes ||
        bytes > p->packet_bytes - (uint32_t)offset) {
        cts_mach_finish(m, 0);
        return 0;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p->packet[(uint32_t)offset + i];
    return value;
}

/* Setting up */

static enum ref_name find_name(const char *text)
{
    static const char *const names[] = {
        [REF_NAME_VAR] = "cts_test_var",
        [REF_NAME_RCU_LOCK] = "bpf_rcu_read_lock",
        [REF_NAME_RCU_UNLOCK] = "bpf_rcu_read_unlock",
        [REF_NAME_SUM] = "cts_test_sum",
    };
    for (unsigned i = REF_NAME_VAR; i < CTS_ARRAY_LEN(names); i++)
        if (strcmp(names[i], text) == 0)
            return (enum ref_name)i;
    return REF_NAME_UNKNOWN;
}

static int init_names(struct ref_platform *p, const struct cts_load_req *req, struct cts_err *err)
{
    if (req->name_count > REF_NAMES_MAX)
        return cts_err_set(err, CTS_E_LIMIT, "more than %d names", REF_NAMES_MAX);
    p->names = req->name_count;
    for (uint32_t i = 0; i < p->names; i++)
        p->name[i] = (uint8_t)find_name(req->names[i]);
    return 0;
}

static int values_size(const struct cts_load_req *req, uint64_t *total, struct cts_err *err)
{
    *total = 0;
    if (req->map_count > REF_MAPS_MAX)
        return cts_err_set(err, CTS_E_LIMIT, "more than %d maps", REF_MAPS_MAX);
    for (uint32_t i = 0; i < req->map_count; i++) {
        uint64_t bytes = (uint64_t)req->maps[i].value_bytes * req->maps[i].entries;
        if (bytes == 0)
            return cts_err_set(err, CTS_E_UNSUPPORTED, "map %u holds programs, or nothing", i + 1);
        if (bytes > REF_MAP_BYTES_MAX)
            return cts_err_set(err, CTS_E_LIMIT, "map %u has more than %d bytes", i + 1,
                               REF_MAP_BYTES_MAX);
        *total += bytes;
    }
    return 0;
}

static void init_map(struct ref_map *map, uint32_t n, const struct cts_map_def *def, uint8_t *host,
                     uint8_t *start)
{
    size_t bytes = (size_t)def->value_bytes * def->entries;
    *map = (struct ref_map){def->value_bytes, def->entries, REF_VALUE_BASE + ((uint64_t)n << 32),
                            host, start};
    if (def->data && bytes)
        memcpy(start, def->data, bytes);
}

/* In a whole program, which has no row, the window is a map of 64 bytes of zeros. */
static int init_maps(struct ref_platform *p, const struct cts_load_req *req, uint32_t window_bytes,
                     struct cts_err *err)
{
    const struct cts_map_def window = {req->kind == CTS_PROG_WINDOW ? window_bytes : REF_CTX_BYTES,
                                       1, NULL};
    uint64_t total;
    int rc = values_size(req, &total, err);
    if (rc)
        return rc;
    total += REF_CTX_BYTES;
    p->values = calloc(2, (size_t)total);
    if (!p->values)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for maps");
    p->maps = req->map_count + 1;
    if (req->kind == CTS_PROG_WINDOW)
        p->map[0] = (struct ref_map){.value_bytes = window.value_bytes, .entries = 1};
    else
        init_map(&p->map[0], 0, &window, p->values, p->values + total);
    size_t at = REF_CTX_BYTES;
    for (uint32_t i = 0; i < req->map_count; i++) {
        init_map(&p->map[i + 1], i + 1, &req->maps[i], p->values + at, p->values + total + at);
        at += (size_t)req->maps[i].value_bytes * req->maps[i].entries;
    }
    return 0;
}

static void put64(uint8_t *at, bool be, uint64_t value)
{
    if (be)
        cts_put64be(at, value);
    else
        cts_put64le(at, value);
}

static uint64_t get64(const uint8_t *at, bool be)
{
    return be ? cts_get64be(at) : cts_get64le(at);
}

/* Map 0 is the window. */
static bool is_data(const struct ref_platform *p, uint32_t i)
{
    return p->names_functions && i > 0 && p->map[i].entries == 1;
}

void ref_platform_name_functions(struct ref_platform *p, const struct cts_load_req *req, bool be)
{
    bool jumps = cts_jumps_to_addresses(req->code, req->slots);
    p->names_functions = jumps || cts_calls_addresses(req->code, req->slots);
    for (uint32_t i = 0; i < p->maps; i++) {
        for (uint32_t at = 0; is_data(p, i) && at + 8 <= p->map[i].value_bytes; at += 8) {
            uint64_t v = get64(p->map[i].start + at, be);
            if (jumps ? cts_insn_begins(req->code, req->slots, v)
                      : cts_function_begins(req->code, req->slots, v))
                put64(p->map[i].start + at, be, cts_mach_code_of((uint32_t)(v / CTS_SLOT_BYTES)));
        }
    }
}

static const struct cts_mach_platform all_calls = {
    .helper = call_helper,
    .btf_call = btf_call,
    .map_by_fd = map_by_number,
    .map_by_idx = map_by_number,
    .map_val = map_val,
    .var_addr = var_addr,
    .code_addr = cts_mach_code_addr,
    .slots_to = cts_mach_slots_to,
    .arg_in = cts_mach_arg_in,
    .arg_out = cts_mach_arg_out,
    .packet_load = packet_load,
};

int ref_platform_init(struct ref_platform *p, const struct cts_load_req *req, uint32_t window_bytes,
                      bool be, struct cts_err *err)
{
    *p = (struct ref_platform){.calls = all_calls, .has_packet = req->packet};
    p->calls.owner = p;
    put64(p->var, be, UINT64_C(0x1122334455667788));
    if (p->has_packet && !(p->packet = malloc(REF_PACKET_MAX)))
        return cts_err_set(err, CTS_E_NOMEM, "no memory for a packet");
    int rc = init_names(p, req, err);
    return rc ? rc : init_maps(p, req, window_bytes, err);
}

void ref_platform_release(struct ref_platform *p)
{
    free(p->packet);
    free(p->values);
    p->packet = p->values = NULL;
}

int ref_platform_map(struct ref_platform *p, struct cts_mach *m, struct cts_err *err)
{
    int rc = cts_mach_map(m, REF_CTX_BASE, p->ctx, sizeof(p->ctx), false);
    if (rc == 0)
        rc = cts_mach_map(m, REF_VAR_BASE, p->var, sizeof(p->var), false);
    for (uint32_t i = 0; rc == 0 && i < p->maps; i++) {
        const struct ref_map *map = &p->map[i];
        uint64_t bytes = (uint64_t)map->value_bytes * map->entries;
        if (map->host && bytes)
            rc = cts_mach_map(m, map->value, map->host, bytes, !is_data(p, i));
    }
    if (rc == 0 && p->has_packet)
        rc = cts_mach_map(m, REF_PACKET_BASE, p->packet, 0, true);
    m->platform = &p->calls;
    return rc ? cts_err_set(err, rc, "the platform's memory cannot be mapped") : 0;
}

int ref_platform_check(const struct ref_platform *p, const struct cts_mach_insn *insn,
                       struct cts_err *err)
{
    int32_t imm = insn->in.imm;
    enum ref_name name = name_at(p, imm);
    bool is_map = insn->row == CTS_INSN_LDDW_MAP_FD || insn->row == CTS_INSN_LDDW_MAP_IDX ||
                  insn->row == CTS_INSN_LDDW_MAP_FD_VALUE ||
                  insn->row == CTS_INSN_LDDW_MAP_IDX_VALUE;
    if (is_map && (imm < 0 || (uint32_t)imm >= p->maps))
        return cts_err_set(err, CTS_E_INVAL, "there is no map %d", (int)imm);
    if (insn->row == CTS_INSN_LDDW_VAR && name != REF_NAME_VAR)
        return cts_err_set(err, CTS_E_INVAL, "there is no variable %d", (int)imm);
    if (insn->row == CTS_INSN_CALL_BTF && (name == REF_NAME_VAR || name == REF_NAME_UNKNOWN))
        return cts_err_set(err, CTS_E_INVAL, "there is no function %d", (int)imm);
    return 0;
}

static void start_packet(struct ref_platform *p, struct cts_mach *m, const uint8_t *packet,
                         uint32_t bytes)
{
    p->packet_bytes = bytes;
    if (bytes)
        memcpy(p->packet, packet, bytes);
    m->region[m->regions - 1].size = bytes;
    put64(p->ctx, m->be, REF_PACKET_BASE);
    put64(p->ctx + 8, m->be, REF_PACKET_BASE + bytes);
}

int ref_platform_start(struct ref_platform *p, struct cts_mach *m, const uint8_t *packet,
                       uint32_t bytes, struct cts_err *err)
{
    for (uint32_t i = 0; i < p->maps; i++) {
        const struct ref_map *map = &p->map[i];
        size_t size = (size_t)map->value_bytes * map->entries;
        if (map->host && size)
            memcpy(map->host, map->start, size);
    }
    if (!p->has_packet)
        return 0;
    if (bytes > REF_PACKET_MAX)
        return cts_err_set(err, CTS_E_LIMIT, "a packet of more than %d bytes", REF_PACKET_MAX);
    start_packet(p, m, packet, packet ? bytes : 0);
    return 0;
}
