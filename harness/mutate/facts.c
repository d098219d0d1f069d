#include "mutate/facts.h"

enum { HALF = 32 };

struct cts_fact cts_fact_any(void)
{
    return (struct cts_fact){.hi = UINT64_MAX,
                             .slo = INT64_MIN,
                             .shi = INT64_MAX,
                             .whi = UINT32_MAX,
                             .unknown = UINT64_MAX};
}

struct cts_fact cts_fact_const(uint64_t v)
{
    return (struct cts_fact){.lo = v,
                             .hi = v,
                             .slo = (int64_t)v,
                             .shi = (int64_t)v,
                             .wlo = (uint32_t)v,
                             .whi = (uint32_t)v,
                             .bits = v};
}

struct cts_fact cts_fact_range(uint64_t lo, uint64_t hi)
{
    struct cts_fact f = cts_fact_any();
    f.lo = lo;
    f.hi = hi;
    cts_fact_settle(&f);
    return f;
}

struct cts_fact cts_fact_signed(int64_t lo, int64_t hi)
{
    struct cts_fact f = cts_fact_any();
    f.slo = lo;
    f.shi = hi;
    cts_fact_settle(&f);
    return f;
}

bool cts_fact_is_const(const struct cts_fact *f)
{
    return f->unknown == 0 && f->lo == f->hi;
}

bool cts_fact_is_empty(const struct cts_fact *f)
{
    return f->lo > f->hi || f->slo > f->shi || f->wlo > f->whi;
}

static void raise(uint64_t *lo, uint64_t v)
{
    *lo = v > *lo ? v : *lo;
}

static void lower(uint64_t *hi, uint64_t v)
{
    *hi = v < *hi ? v : *hi;
}

static void settle_signs(struct cts_fact *f)
{
    if ((f->slo < 0) == (f->shi < 0)) {
        raise(&f->lo, (uint64_t)f->slo);
        lower(&f->hi, (uint64_t)f->shi);
    }
    if ((int64_t)f->lo <= (int64_t)f->hi) {
        f->slo = (int64_t)f->lo > f->slo ? (int64_t)f->lo : f->slo;
        f->shi = (int64_t)f->hi < f->shi ? (int64_t)f->hi : f->shi;
    }
}

static void settle_half(struct cts_fact *f)
{
    uint64_t wlo = f->wlo, whi = f->whi, upper = f->lo >> HALF << HALF;
    raise(&wlo, (uint32_t)f->bits);
    lower(&whi, (uint32_t)(f->bits | f->unknown));
    if (f->lo >> HALF == f->hi >> HALF) {
        raise(&wlo, (uint32_t)f->lo);
        lower(&whi, (uint32_t)f->hi);
        raise(&f->lo, upper | wlo);
        lower(&f->hi, upper | whi);
    }
    f->wlo = (uint32_t)wlo;
    f->whi = (uint32_t)whi;
}

/* Bits above the highest in which the ends of the range differ are known. */
static void settle_bits(struct cts_fact *f)
{
    uint64_t differ = f->lo ^ f->hi;
    raise(&f->lo, f->bits);
    lower(&f->hi, f->bits | f->unknown);
    if (f->lo > f->hi)
        return;
    while (differ & (differ + 1))
        differ |= differ >> 1;
    f->bits |= f->lo & f->unknown & ~differ;
    f->unknown &= differ;
}

void cts_fact_settle(struct cts_fact *f)
{
    for (int i = 0; i < 2; i++) {
        settle_signs(f);
        settle_half(f);
        settle_bits(f);
    }
}

bool cts_fact_holds(const struct cts_fact *f, const struct cts_fact *in)
{
    return f->lo <= in->lo && in->hi <= f->hi && f->slo <= in->slo && in->shi <= f->shi &&
           f->wlo <= in->wlo && in->whi <= f->whi && (in->unknown & ~f->unknown) == 0 &&
           ((in->bits ^ f->bits) & ~f->unknown) == 0;
}

struct cts_fact cts_fact_low(const struct cts_fact *f)
{
    struct cts_fact low = cts_fact_range(f->wlo, f->whi);
    low.bits = (uint32_t)f->bits;
    low.unknown = (uint32_t)f->unknown;
    cts_fact_settle(&low);
    return low;
}

struct cts_fact cts_fact_add(const struct cts_fact *a, const struct cts_fact *b)
{
    struct cts_fact f = cts_fact_any();
    uint64_t least = a->bits + b->bits, most = least + a->unknown + b->unknown;
    uint64_t unknown = (least ^ most) | a->unknown | b->unknown;
    if (a->hi + b->hi >= a->hi) {
        f.lo = a->lo + b->lo;
        f.hi = a->hi + b->hi;
    }
    if (__builtin_add_overflow(a->slo, b->slo, &f.slo) ||
        __builtin_add_overflow(a->shi, b->shi, &f.shi)) {
        f.slo = INT64_MIN;
        f.shi = INT64_MAX;
    }
    f.bits = least & ~unknown;
    f.unknown = unknown;
    cts_fact_settle(&f);
    return f;
}

struct cts_fact cts_fact_sub(const struct cts_fact *a, const struct cts_fact *b)
{
    struct cts_fact f = cts_fact_any();
    uint64_t d = a->bits - b->bits, most = d + a->unknown, least = d - b->unknown;
    uint64_t unknown = (least ^ most) | a->unknown | b->unknown;
    if (a->lo >= b->hi) {
        f.lo = a->lo - b->hi;
        f.hi = a->hi - b->lo;
    }
    if (__builtin_sub_overflow(a->slo, b->shi, &f.slo) ||
        __builtin_sub_overflow(a->shi, b->slo, &f.shi)) {
        f.slo = INT64_MIN;
        f.shi = INT64_MAX;
    }
    f.bits = d & ~unknown;
    f.unknown = unknown;
    cts_fact_settle(&f);
    return f;
}

static struct cts_fact of_bits(uint64_t ones, uint64_t unknown)
{
    struct cts_fact f = cts_fact_any();
    f.bits = ones & ~unknown;
    f.unknown = unknown;
    cts_fact_settle(&f);
    return f;
}

struct cts_fact cts_fact_and(const struct cts_fact *a, const struct cts_fact *b)
{
    uint64_t may = (a->bits | a->unknown) & (b->bits | b->unknown), must = a->bits & b->bits;
    struct cts_fact f = of_bits(must, may & ~must);
    lower(&f.hi, a->hi < b->hi ? a->hi : b->hi);
    cts_fact_settle(&f);
    return f;
}

struct cts_fact cts_fact_or(const struct cts_fact *a, const struct cts_fact *b)
{
    uint64_t must = a->bits | b->bits;
    struct cts_fact f = of_bits(must, (a->unknown | b->unknown) & ~must);
    raise(&f.lo, a->lo > b->lo ? a->lo : b->lo);
    cts_fact_settle(&f);
    return f;
}

struct cts_fact cts_fact_xor(const struct cts_fact *a, const struct cts_fact *b)
{
    return of_bits(a->bits ^ b->bits, a->unknown | b->unknown);
}

struct cts_fact cts_fact_mul(const struct cts_fact *a, const struct cts_fact *b)
{
    if (a->hi > UINT32_MAX || b->hi > UINT32_MAX)
        return cts_fact_any();
    return cts_fact_range(a->lo * b->lo, a->hi * b->hi);
}

struct cts_fact cts_fact_lsh(const struct cts_fact *a, unsigned n)
{
    struct cts_fact f = of_bits(a->bits << n, a->unknown << n);
    if (a->hi <= UINT64_MAX >> n) {
        raise(&f.lo, a->lo << n);
        lower(&f.hi, a->hi << n);
        cts_fact_settle(&f);
    }
    return f;
}

struct cts_fact cts_fact_rsh(const struct cts_fact *a, unsigned n)
{
    struct cts_fact f = of_bits(a->bits >> n, a->unknown >> n);
    raise(&f.lo, a->lo >> n);
    lower(&f.hi, a->hi >> n);
    cts_fact_settle(&f);
    return f;
}

struct cts_fact cts_fact_arsh(const struct cts_fact *a, unsigned n)
{
    return cts_fact_signed(a->slo >> n, a->shi >> n);
}

struct cts_fact cts_fact_div(const struct cts_fact *a, uint64_t n)
{
    return cts_fact_range(a->lo / n, a->hi / n);
}

struct cts_fact cts_fact_mod(const struct cts_fact *a, uint64_t n)
{
    return cts_fact_range(0, a->hi < n - 1 ? a->hi : n - 1);
}
