/* What is read in many places: names, registers, addresses, bytes in hexadecimal. */
#include <string.h>

#include "base/nearest.h"
#include "load/vec_read.h"

struct cts_vec_pos cts_vec_pos_of(const struct cts_yaml *node)
{
    return (struct cts_vec_pos){.file = node->file, .line = node->line, .col = node->col};
}

int cts_vec_nomem(struct cts_vec_reader *r)
{
    return cts_err_set(r->err, CTS_E_NOMEM, "out of memory");
}

int cts_vec_check_name(struct cts_vec_reader *r, const struct cts_yaml *node,
                       const struct cts_vec_names *names, const char *what)
{
    if (!names->list)
        return 0;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], node->text) == 0)
            return 0;
    const char *near = cts_nearest(node->text, names->list, names->count);
    return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "%s: unknown '%.60s'%s%s%s", what, node->text,
                          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int cts_vec_reg_number(const char *text, size_t len)
{
    if (len < 2 || len > 3 || text[0] != 'r')
        return -1;
    if (len == 2)
        return text[1] >= '0' && text[1] <= '9' ? text[1] - '0' : -1;
    return text[1] == '1' && text[2] == '0' ? 10 : -1;
}

int cts_vec_role_index(const struct cts_vec_reader *r, const char *name, size_t len)
{
    for (size_t i = 0; i < r->v.role_count; i++)
        if (strlen(r->role[i].name) == len && memcmp(r->role[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

int cts_vec_read_reg(struct cts_vec_reader *r, const struct cts_yaml *node, struct cts_vec_reg *out)
{
    const char *text;
    int rc = cts_yaml_str(node, "register", &text, r->err);
    if (rc)
        return rc;
    int number = cts_vec_reg_number(text, strlen(text));
    if (number >= 0) {
        *out = (struct cts_vec_reg){.role = -1, .reg = (uint8_t)number};
        r->v.named = (uint16_t)(r->v.named | 1u << number);
        return 0;
    }
    int role = cts_vec_role_index(r, text, strlen(text));
    if (role < 0)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                              "'%.40s' is neither r0..r10 nor a role that the code names", text);
    *out = (struct cts_vec_reg){.role = (int8_t)role};
    return 0;
}

bool cts_vec_address(const char *text, enum cts_vec_value_kind *kind, int64_t *add)
{
    uint64_t n = 0;
    bool minus;
    *add = 0;
    if (strncmp(text, "mem", 3) == 0) {
        *kind = CTS_VV_MEM;
        text += 3;
    } else if (strncmp(text, "fp", 2) == 0) {
        *kind = CTS_VV_FP;
        text += 2;
    } else {
        return false;
    }
    if (*text == '\0')
        return true;
    minus = *text == '-';
    if ((*text != '+' && *text != '-') || text[1] == '\0')
        return false;
    bool hex = text[1] == '0' && text[2] == 'x';
    text += hex ? 3 : 1;
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'F' ? (char)(*text + 32) : *text;
        bool letter = hex && c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9'))
            return false;
        n = n * (hex ? 16 : 10) + (uint64_t)(letter ? c - 'a' + 10 : c - '0');
        if (n > INT32_MAX)
            return false;
    }
    *add = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

int cts_vec_read_hex(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                     uint32_t max, uint8_t **out, uint32_t *count)
{
    static const char digits[] = "0123456789abcdef";
    const char *text;
    unsigned nibbles = 0;
    int rc = cts_yaml_str(node, what, &text, r->err);
    if (rc)
        return rc;
    *count = 0;
    *out = cts_arena_take(r->arena, strlen(text) / 2 + 1);
    if (!*out)
        return cts_vec_nomem(r);
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'F' ? (char)(*text + 32) : *text;
        const char *d = strchr(digits, c);
        if (strchr(" \t\r\n", c) && nibbles % 2 == 0)
            continue;
        if (!d || *count >= max)
            return cts_yaml_error(node, CTS_E_SCHEMA, r->err,
                                  "%s: pairs of hexadecimal digits, at most %u", what, max);
        (*out)[*count] = (uint8_t)((*out)[*count] << 4 | (d - digits));
        *count += nibbles++ % 2;
    }
    if (nibbles % 2 || *count == 0)
        return cts_yaml_error(node, CTS_E_SCHEMA, r->err, "%s: pairs of hexadecimal digits", what);
    return 0;
}
