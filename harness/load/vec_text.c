/* Code as text: its placeholders found, which are the roles of registers and {imm}; and replaced.
 */
#include <string.h>

#include "host/buf.h"
#include "load/vec_read.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool role_name_ok(const char *name, size_t len)
{
    static const char *const taken[] = {"mem", "stack", "fp", "any", "imm"};
    if (len == 0 || len > 31 || name[0] < 'a' || name[0] > 'z')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_word(name[i]) || (name[i] >= 'A' && name[i] <= 'Z'))
            return false;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (strlen(taken[i]) == len && memcmp(taken[i], name, len) == 0)
            return false;
    return !((name[0] == 'r' || name[0] == 'w') && name[1] >= '0' && name[1] <= '9');
}

/* The role of that name, made if it is new; negative if it cannot be one. */
int cts_vec_take_role(struct cts_vec_reader *r, const char *name, size_t len)
{
    int i = cts_vec_role_index(r, name, len);
    if (i >= 0)
        return i;
    if (!role_name_ok(name, len) || r->v.role_count == CTS_VEC_ROLES_MAX)
        return -1;
    char *copy = cts_arena_strndup(r->arena, name, len);
    if (!copy)
        return -1;
    r->role[r->v.role_count] = (struct cts_vec_role){.name = copy, .alias_of = -1};
    return (int)r->v.role_count++;
}

/* One placeholder of a text, at text[at] == '{'. */
struct hole {
    size_t name, name_len; /* of "dst" in {dst.w} */
    size_t end;            /* behind the } */
    bool w, imm;
};

static bool find_hole(const char *text, size_t at, struct hole *h)
{
    size_t n = at + 1;
    while (is_word(text[n]))
        n++;
    *h = (struct hole){.name = at + 1, .name_len = n - at - 1};
    if (strncmp(text + n, ".w", 2) == 0) {
        h->w = true;
        n += 2;
    }
    h->imm = h->name_len == 3 && memcmp(text + at + 1, "imm", 3) == 0;
    h->end = n + 1;
    return text[n] == '}' && h->name_len && !(h->imm && h->w);
}

static size_t comment_end(const char *text, size_t at)
{
    bool comment = text[at] == '#' || (text[at] == '/' && text[at + 1] == '/');
    return comment ? at + strcspn(text + at, "\n") : at;
}

/* r3 and w3 stand for themselves: no role takes that register. */
static size_t scan_word(struct cts_vec_reader *r, const char *text, size_t at)
{
    size_t n = at;
    while (is_word(text[n]))
        n++;
    if (text[at] == 'r' || text[at] == 'w') {
        char name[4] = "r";
        size_t len = n - at;
        memcpy(name + 1, text + at + 1, len > 1 && len < 4 ? len - 1 : 0);
        int reg = len < 4 ? cts_vec_reg_number(name, len) : -1;
        if (reg >= 0)
            r->v.named = (uint16_t)(r->v.named | 1u << reg);
    }
    return n;
}

static int scan_hole(struct cts_vec_reader *r, const struct cts_vec_piece *p, size_t *at,
                     unsigned line)
{
    struct hole h;
    const struct cts_vec_pos *pos = &p->text_pos;
    if (!find_hole(p->text, *at, &h))
        return cts_err_at(r->err, CTS_E_SCHEMA, pos->file, line, 0,
                          "not a placeholder: '%.20s' (write {role}, {role.w} or {imm})",
                          p->text + *at);
    if (h.imm) {
        r->v.uses_imm = true;
    } else if (cts_vec_take_role(r, p->text + h.name, h.name_len) < 0) {
        return cts_err_at(r->err, CTS_E_SCHEMA, pos->file, line, 0,
                          "'%.*s' cannot be a role: a lower-case word, at most %d of them",
                          (int)(h.name_len < 40 ? h.name_len : 40), p->text + h.name,
                          CTS_VEC_ROLES_MAX);
    }
    *at = h.end;
    return 0;
}

int cts_vec_scan_text(struct cts_vec_reader *r, const struct cts_vec_piece *p)
{
    const char *t = p->text;
    unsigned line = p->text_pos.line;
    for (size_t i = 0; t[i];) {
        int rc = 0;
        i = comment_end(t, i);
        if (t[i] == '\0')
            break;
        if (t[i] == '{')
            rc = scan_hole(r, p, &i, line);
        else if (is_word(t[i]))
            i = scan_word(r, t, i);
        else
            line += t[i++] == '\n';
        if (rc)
            return rc;
    }
    return 0;
}

static void put_hole(const struct cts_vec *v, const char *text, const struct hole *h,
                     const uint8_t *regs, const char *imm, struct cts_buf *out)
{
    if (h->imm) {
        cts_buf_adds(out, imm ? imm : "0");
        return;
    }
    for (size_t i = 0; i < v->role_count; i++) {
        const char *name = v->roles[i].name;
        if (strlen(name) == h->name_len && memcmp(name, text + h->name, h->name_len) == 0)
            cts_buf_addf(out, "%c%u", h->w ? 'w' : 'r', regs[i]);
    }
}

char *cts_vec_expand(const struct cts_vec *v, const char *text, const uint8_t *regs,
                     const char *imm, struct cts_arena *arena)
{
    struct cts_buf out;
    struct hole h;
    cts_buf_init(&out, 0);
    for (size_t i = 0; text[i];) {
        i = comment_end(text, i);
        if (text[i] == '{' && find_hole(text, i, &h)) {
            put_hole(v, text, &h, regs, imm, &out);
            i = h.end;
        } else if (text[i]) {
            cts_buf_addc(&out, text[i++]);
        }
    }
    char *copy = out.failed ? NULL : cts_arena_strndup(arena, cts_buf_text(&out), out.len);
    cts_buf_release(&out);
    return copy;
}
