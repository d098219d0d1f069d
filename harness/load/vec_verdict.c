/* Verdicts: what may become of a whole program, by runtime. */
#include <string.h>

#include "load/schema.h"
#include "load/vec_read.h"

/* What each word of a verdict lets happen. */
enum { REJECT = 1 << CTS_OUT_REJECTED, RUN = 1 << CTS_OUT_RAN, FAULT = 1 << CTS_OUT_FAULTED };
#define VERDICTS(X)                                                                                \
    X("reject", REJECT)                                                                            \
    X("accept", RUN)                                                                               \
    X("reject-or-run", REJECT | RUN)                                                               \
    X("fault", FAULT)                                                                              \
    X("reject-or-fault", REJECT | FAULT)                                                           \
    X("any", REJECT | RUN | FAULT)
#define WORD_OF(word, lets) word,
#define LETS_OF(word, lets) lets,

const char *const cts_vec_verdict_words[] = {VERDICTS(WORD_OF) NULL};
static const unsigned lets_happen[] = {VERDICTS(LETS_OF)};

static int add_verdict(struct cts_vec_reader *r, const struct cts_yaml *node, const char *runtime,
                       const struct cts_yaml *r0, struct cts_vec_outcome *o, size_t *n)
{
    /* In the order in which they are packed. */
    static const uint8_t kinds[] = {CTS_OUT_REJECTED, CTS_OUT_FAULTED, CTS_OUT_RAN};
    size_t word;
    int rc = cts_schema_word(node, "verdict", cts_vec_verdict_words, &word, r->err);
    for (size_t i = 0; rc == 0 && i < sizeof(kinds); i++) {
        if (!(lets_happen[word] >> kinds[i] & 1))
            continue;
        struct cts_vec_outcome *to = &o[(*n)++];
        *to = (struct cts_vec_outcome){.kind = kinds[i], .runtime = runtime};
        if (kinds[i] == CTS_OUT_RAN && r0) {
            to->has_r0 = true;
            rc = cts_yaml_u64_bits(r0, "r0", &to->r0, r->err);
        }
    }
    return rc;
}

/* Those that go every way through a program and know what registers hold: `verifiers`. */
static const char *const verifying[] = {"linux", "prevail", "dpdk"};
enum { VERIFYING = sizeof(verifying) / sizeof(verifying[0]) };

/* "linux", or an engine of it: "linux:jit". */
static int check_engine_name(struct cts_vec_reader *r, const struct cts_yaml *key)
{
    struct cts_yaml runtime = *key;
    const char *colon = strchr(key->text, ':');
    if (colon && (colon == key->text || !colon[1] || strchr(colon + 1, ':')))
        return cts_yaml_error(key, CTS_E_SCHEMA, r->err,
                              "verdicts: a runtime, or RUNTIME:ENGINE, not '%.60s'", key->text);
    if (colon)
        runtime.text = cts_arena_strndup(r->arena, key->text, (size_t)(colon - key->text));
    return runtime.text ? cts_vec_check_name(r, &runtime, &r->known->runtimes, "verdicts")
                        : cts_vec_nomem(r);
}

/* `verifiers` stands for all of them but those that are named, too. */
static int add_verdict_of(struct cts_vec_reader *r, const struct cts_yaml *per, size_t i,
                          const struct cts_yaml *r0, struct cts_vec_outcome *o, size_t *n)
{
    int rc = 0;
    if (!cts_yaml_is(per->keys[i], "verifiers")) {
        rc = check_engine_name(r, per->keys[i]);
        return rc ? rc : add_verdict(r, per->items[i], per->keys[i]->text, r0, o, n);
    }
    for (size_t k = 0; rc == 0 && k < VERIFYING; k++)
        if (!cts_yaml_get(per, verifying[k]))
            rc = add_verdict(r, per->items[i], verifying[k], r0, o, n);
    return rc;
}

/* One case; or one for each bit that is inverted. */
static int verdict_cases(struct cts_vec_reader *r, const struct cts_vec_case *base)
{
    const struct cts_vec_flip *flip = r->v.flip;
    unsigned bits = flip ? flip->bits : 1;
    struct cts_vec_case *c = cts_arena_take_array(r->arena, bits, sizeof(*c));
    if (!c)
        return cts_vec_nomem(r);
    r->v.cases = c;
    for (unsigned bit = 0; bit < bits; bit++) {
        if (flip && flip->left_out >> bit & 1)
            continue;
        *c = *base;
        c->flip_bit = (uint8_t)bit;
        if (flip)
            c->name = cts_arena_fmt(r->arena, "%s-bit-%u", flip->field, bit);
        if (!c->name)
            return cts_vec_nomem(r);
        r->v.case_count++;
        c++;
    }
    return 0;
}

int cts_vec_read_verdict(struct cts_vec_reader *r, const struct cts_yaml *map)
{
    const struct cts_yaml *per = cts_yaml_get(map, "verdicts"), *r0 = cts_yaml_get(map, "r0");
    size_t more = per ? per->count + VERIFYING - 1 : 0, n = 0;
    bool runs = false;
    if (3 * (more + 1) > CTS_VEC_OUTCOMES_MAX)
        return cts_yaml_error(per, CTS_E_LIMIT, r->err, "verdicts: too many");
    struct cts_vec_outcome *o = cts_arena_take_array(r->arena, 3 * (more + 1), sizeof(*o));
    if (!o)
        return cts_vec_nomem(r);
    int rc = add_verdict(r, cts_yaml_get(map, "verdict"), "", r0, o, &n);
    for (size_t i = 0; rc == 0 && per && i < per->count; i++)
        rc = add_verdict_of(r, per, i, r0, o, &n);
    for (size_t i = 0; i < n; i++)
        runs |= o[i].kind == CTS_OUT_RAN;
    if (rc == 0 && r0 && !runs)
        rc = cts_yaml_error(r0, CTS_E_SCHEMA, r->err, "r0: no verdict here lets it run");
    if (rc == 0 && r->v.uses_imm)
        rc = cts_yaml_error(map, CTS_E_SCHEMA, r->err, "a verdict's program has no {imm}");
    const struct cts_vec_case base = {
        .pos = cts_vec_pos_of(map), .name = "verdict", .outcomes = o, .outcome_count = n};
    return rc ? rc : verdict_cases(r, &base);
}
