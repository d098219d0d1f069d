/* What a program is given beside its memory: maps, and a packet. */
#include "base/limits.h"
#include "load/schema.h"
#include "load/vec_read.h"

/* What a vector may say, a worker can be asked. */
_Static_assert((int)CTS_VEC_MAP_MAX <= (int)CTS_MOST_MAP_BYTES, "a map's contents");
_Static_assert((int)CTS_VEC_THREADS_MAX <= (int)CTS_MOST_THREADS, "threads");

static int read_map_data(struct cts_vec_reader *r, const struct cts_yaml *data,
                         struct cts_vec_map *m)
{
    bool one = data->kind == CTS_YAML_MAP;
    size_t n = one ? 1 : data->count;
    if (data->kind == CTS_YAML_SCALAR)
        return cts_yaml_want(data, CTS_YAML_MAP, "data", r->err);
    struct cts_vec_bytes *b = cts_arena_take_array(r->arena, n, sizeof(*b));
    if (!b)
        return cts_vec_nomem(r);
    for (size_t i = 0; i < n; i++) {
        int rc = cts_vec_read_bytes(r, one ? data : data->items[i], 0,
                                    (int64_t)m->value_bytes * m->entries, false, !one, &b[i]);
        if (rc)
            return rc;
    }
    m->data = b;
    m->data_count = n;
    return 0;
}

static int read_map(struct cts_vec_reader *r, const struct cts_yaml *node, struct cts_vec_map *m)
{
    static const struct cts_schema_field fields[] = {
        {"value", CTS_SCHEMA_NUM, false, "bytes of a value", NULL, NULL},
        {"entries", CTS_SCHEMA_NUM, false, "how many", NULL, NULL},
        {"programs", CTS_SCHEMA_NUM, false, "how many entries that are the program itself", NULL,
         NULL},
        {"data", CTS_SCHEMA_ANY, false, "contents at every start", NULL, NULL},
        {0},
    };
    const struct cts_yaml *data = cts_yaml_get(node, "data"), *v = cts_yaml_get(node, "value");
    const struct cts_yaml *n = cts_yaml_get(node, "entries");
    const struct cts_yaml *programs = cts_yaml_get(node, "programs");
    int64_t value = 0, entries;
    int rc = cts_yaml_want(node, CTS_YAML_MAP, "map", r->err);
    if (rc == 0)
        rc = cts_schema_check(node, fields, "map", r->err);
    if (rc == 0 && (programs ? v || n || data : !v || !n))
        rc = cts_yaml_error(node, CTS_E_SCHEMA, r->err, "a map has value and entries, or programs");
    if (rc == 0 && programs)
        n = programs;
    else if (rc == 0)
        rc = cts_yaml_range(v, "value", 1, 4096, &value, r->err);
    if (rc == 0)
        rc = cts_yaml_range(n, programs ? "programs" : "entries", 1, 4096, &entries, r->err);
    if (rc)
        return rc;
    if (value * entries > CTS_VEC_MAP_MAX)
        return cts_yaml_error(node, CTS_E_LIMIT, r->err, "a map has at most %d bytes",
                              CTS_VEC_MAP_MAX);
    m->value_bytes = (uint32_t)value;
    m->entries = (uint32_t)entries;
    return data ? read_map_data(r, data, m) : 0;
}

int cts_vec_read_objects(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *maps = cts_yaml_get(map, "maps"), *packet = cts_yaml_get(map, "packet");
    size_t n = maps ? maps->count : 0;
    uint8_t *bytes = NULL;
    int rc = 0;
    if (n > CTS_MOST_MAPS)
        return cts_yaml_error(maps->items[CTS_MOST_MAPS], CTS_E_LIMIT, r->err, "maps: at most %d",
                              CTS_MOST_MAPS);
    struct cts_vec_map *m = cts_arena_take_array(r->arena, n + 1, sizeof(*m));
    if (!m)
        return cts_vec_nomem(r);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = read_map(r, maps->items[i], &m[i]);
    r->v.maps = m;
    r->v.map_count = n;
    if (rc == 0 && packet)
        rc = cts_vec_read_hex(r, packet, "packet", CTS_VEC_PACKET_MAX, &bytes, &r->v.packet_bytes);
    if (rc == 0 && packet && r->v.packet_bytes < 14)
        rc = cts_yaml_error(packet, CTS_E_SCHEMA, r->err, "packet: at least 14 bytes");
    r->v.packet = bytes;
    return rc;
}
