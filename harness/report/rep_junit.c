/* JUnit XML: one suite per engine, in the form of reports/junit.xsd. The counts stand before the
 * cases, so the cases are kept in a file until the end. */
#include <stdlib.h>
#include <string.h>

#include "host/outfile.h"
#include "report/report.h"
#include "report/text.h"

enum { DIGITS = 3 }; /* of times: readers take no more */

/* Cases of one engine: a stretch of the spool. */
struct suite {
    char *name, *version, *reason; /* reason: why nothing was run, else null */
    bool broken;
    uint64_t begin, end;
    uint64_t tests, failures, errors, skipped, ns;
    uint64_t not_claimed; /* cases that are left out */
};

struct rep {
    struct cts_report_opts opts;
    FILE *spool;
    uint64_t spooled; /* bytes */
    struct cts_buf body, name;
    struct suite *suites;
    size_t count, cap;
    uint64_t lost; /* cases that there was no room for */
};

static void *junit_start(const struct cts_report_opts *opts)
{
    struct rep *rep = calloc(1, sizeof(*rep));
    if (!rep)
        return NULL;
    rep->opts = *opts;
    rep->spool = cts_outfile_spool();
    cts_buf_init(&rep->body, 0);
    cts_buf_init(&rep->name, 0);
    return rep;
}

/* ---- suites ---- */

static const char *suite_name(struct rep *rep, const char *runtime, const char *engine)
{
    cts_buf_clear(&rep->name);
    cts_buf_addf(&rep->name, "%s:%s", runtime, engine);
    return cts_buf_text(&rep->name);
}

static struct suite *add_suite(struct rep *rep, const char *name, const char *version,
                               const char *reason)
{
    if (rep->count == rep->cap) {
        size_t cap = rep->cap ? rep->cap * 2 : 8;
        struct suite *bigger = realloc(rep->suites, cap * sizeof(*bigger));
        if (!bigger)
            return NULL;
        rep->suites = bigger;
        rep->cap = cap;
    }
    struct suite *s = &rep->suites[rep->count];
    *s = (struct suite){.name = strdup(name),
                        .version = strdup(version ? version : ""),
                        .reason = reason ? strdup(reason) : NULL,
                        .begin = rep->spooled,
                        .end = rep->spooled};
    if (!s->name || !s->version || (reason && !s->reason)) {
        free(s->name);
        free(s->version);
        free(s->reason);
        return NULL;
    }
    rep->count++;
    return s;
}

static void junit_engine(void *arg, const struct cts_engine_info *info)
{
    struct rep *rep = arg;
    struct suite *s = add_suite(rep, suite_name(rep, info->runtime, info->engine), info->version,
                                info->state == CTS_EN_RUNS ? NULL : info->reason);
    if (s && info->state == CTS_EN_BROKEN) {
        s->broken = true;
        s->tests = s->errors = 1;
    }
}

/* The suite that a result belongs to. Engines come one after the other: a stretch that was left is
 * not taken up again. */
static struct suite *suite_of(struct rep *rep, const struct cts_result *r)
{
    const char *name = suite_name(rep, r->runtime, r->engine);
    for (size_t i = rep->count; i-- > 0;) {
        struct suite *s = &rep->suites[i];
        if (strcmp(s->name, name) != 0)
            continue;
        if (!s->tests)
            s->begin = s->end = rep->spooled;
        if (s->end == rep->spooled)
            return s;
        break;
    }
    return add_suite(rep, name, r->version, NULL);
}

/* ---- cases ---- */

/* "linux.jit.base64.add" of linux:jit and base64/add/carries; the part of the vector's id behind
 * that is returned. */
static const char *add_class(struct rep *rep, const struct cts_result *r)
{
    const char *slash = strrchr(r->vector, '/');
    struct cts_buf *b = &rep->name;
    cts_buf_clear(b);
    cts_buf_addf(b, "%s.%s", r->runtime, r->engine);
    if (slash) {
        cts_buf_addc(b, '.');
        cts_buf_add(b, r->vector, (size_t)(slash - r->vector));
    }
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == '/')
            b->data[i] = '.';
    cts_text_xml(&rep->body, cts_buf_text(b));
    return slash ? slash + 1 : r->vector;
}

/* type, before and detail may be null. */
static void add_verdict(struct cts_buf *b, const char *element, const char *type,
                        const char *before, const char *message, const char *detail)
{
    cts_buf_addf(b, "      <%s message=\"", element);
    if (before) {
        cts_text_xml(b, before);
        cts_buf_adds(b, ": ");
    }
    cts_text_xml(b, message);
    cts_buf_adds(b, "\"");
    if (type) {
        cts_buf_adds(b, " type=\"");
        cts_text_xml(b, type);
        cts_buf_adds(b, "\"");
    }
    if (detail && detail[0]) {
        cts_buf_adds(b, ">\n");
        cts_text_xml_body(b, detail);
        cts_buf_addf(b, "</%s>\n", element);
    } else {
        cts_buf_adds(b, "/>\n");
    }
}

static void add_status(struct cts_buf *b, struct suite *s, const struct cts_result *r)
{
    switch (r->status) {
    case CTS_ST_FAIL:
        s->failures++;
        add_verdict(b, "failure", cts_failure_name(r->failure), NULL, r->message, r->detail);
        break;
    case CTS_ST_XPASS:
        s->failures++;
        add_verdict(b, "failure", "xpass", r->message, r->known, r->detail);
        break;
    case CTS_ST_ERROR:
        s->errors++;
        add_verdict(b, "error", "error", NULL, r->message, r->detail);
        break;
    case CTS_ST_SKIP:
        s->skipped++;
        add_verdict(b, "skipped", NULL, NULL, r->message, NULL);
        break;
    case CTS_ST_XFAIL:
        s->skipped++;
        add_verdict(b, "skipped", NULL, "known failure", r->known, NULL);
        break;
    case CTS_ST_PASS:
    case CTS_ST_COUNT:
        break;
    }
}

static void add_case(struct rep *rep, struct suite *s, const struct cts_result *r)
{
    struct cts_buf *b = &rep->body;
    cts_buf_adds(b, "    <testcase classname=\"");
    const char *rest = add_class(rep, r);
    cts_buf_adds(b, "\" name=\"");
    cts_text_xml(b, rest);
    cts_buf_addc(b, '#');
    cts_text_xml(b, r->kase);
    cts_buf_adds(b, "\" time=\"");
    cts_text_seconds(b, r->ns, DIGITS);
    if (r->file && r->file[0]) {
        cts_buf_adds(b, "\" file=\"");
        cts_text_xml(b, r->file);
        cts_buf_addf(b, "\" line=\"%u", r->line);
    }
    if (r->status == CTS_ST_PASS) {
        cts_buf_adds(b, "\"/>\n");
        return;
    }
    cts_buf_adds(b, "\">\n");
    add_status(b, s, r);
    cts_buf_adds(b, "    </testcase>\n");
}

/* Moves the case from the buffer to the file. */
static bool spool(struct rep *rep)
{
    size_t len = rep->body.len;
    bool good =
        !rep->body.failed && rep->spool && fwrite(rep->body.data, 1, len, rep->spool) == len;
    cts_buf_clear(&rep->body);
    rep->spooled += good ? len : 0;
    return good;
}

static void junit_result(void *arg, const struct cts_result *r)
{
    struct rep *rep = arg;
    struct suite *s = suite_of(rep, r), before;
    if (!s) {
        rep->lost++;
        return;
    }
    if (r->status == CTS_ST_SKIP && r->skip == CTS_SK_NOT_CLAIMED && !rep->opts.verbose) {
        s->not_claimed++;
        return;
    }
    before = *s;
    s->tests++;
    s->ns += r->ns;
    add_case(rep, s, r);
    if (!spool(rep)) {
        *s = before;
        rep->lost++;
        return;
    }
    s->end = rep->spooled;
}

/* ---- the end ---- */

static void write_counts(struct rep *rep, const struct suite *s)
{
    cts_buf_addf(&rep->name, " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" time=\"",
                 (unsigned long long)s->tests, (unsigned long long)s->failures,
                 (unsigned long long)s->errors);
    cts_text_seconds(&rep->name, s->ns, DIGITS);
    cts_buf_addc(&rep->name, '"');
}

static void add_property(struct cts_buf *b, const char *name, const char *value)
{
    cts_buf_addf(b, "      <property name=\"%s\" value=\"", name);
    cts_text_xml(b, value);
    cts_buf_adds(b, "\"/>\n");
}

static void copy_cases(struct rep *rep, const struct suite *s)
{
    char chunk[65536];
    uint64_t left = s->end - s->begin;
    if (!left || fseeko(rep->spool, (off_t)s->begin, SEEK_SET) != 0) {
        rep->lost += left ? s->tests : 0;
        return;
    }
    while (left) {
        size_t n = fread(chunk, 1, left < sizeof(chunk) ? left : sizeof(chunk), rep->spool);
        if (n == 0) {
            rep->lost++; /* the document is broken, and whoever reads it sees that */
            return;
        }
        fwrite(chunk, 1, n, rep->opts.out);
        left -= n;
    }
}

/* Its worker's failure is the one test case of the suite of a broken engine. */
static void add_broken(struct cts_buf *b, const struct suite *s)
{
    cts_buf_adds(b, "    <testcase classname=\"");
    cts_text_xml(b, s->name);
    cts_buf_adds(b, "\" name=\"worker\" time=\"0.000\">\n      <error message=\"");
    cts_text_xml(b, s->reason);
    cts_buf_adds(b, "\" type=\"broken\"/>\n    </testcase>\n");
}

/* UTC: the form has no place for that. */
static void add_when(struct cts_buf *b, const char *when)
{
    if (when[0])
        cts_buf_addf(b, " timestamp=\"%.*s\"", (int)strcspn(when, "Z"), when);
}

static void write_suite(struct rep *rep, const struct suite *s, const char *when)
{
    struct cts_buf *b = &rep->name;
    cts_buf_adds(b, "  <testsuite name=\"");
    cts_text_xml(b, s->name);
    cts_buf_addc(b, '"');
    write_counts(rep, s);
    cts_buf_addf(b, " skipped=\"%llu\"", (unsigned long long)s->skipped);
    add_when(b, when);
    cts_buf_adds(b, ">\n    <properties>\n");
    add_property(b, "version", s->version);
    add_property(b, "suite-version", rep->opts.suite_version);
    add_property(b, "vectors", rep->opts.vectors_hash);
    if (s->reason && !s->broken)
        add_property(b, "skipped", s->reason);
    if (s->not_claimed)
        cts_buf_addf(b, "      <property name=\"not-claimed\" value=\"%llu\"/>\n",
                     (unsigned long long)s->not_claimed);
    cts_buf_adds(b, "    </properties>\n");
    if (s->broken)
        add_broken(b, s);
    cts_text_flush(b, rep->opts.out);
    copy_cases(rep, s);
    fputs("  </testsuite>\n", rep->opts.out);
}

/* A report that is not whole must not look as if it were. */
static void write_missing(struct rep *rep, const struct cts_summary *s)
{
    struct cts_buf *b = &rep->name;
    cts_buf_adds(b, "  <testsuite name=\"ebpf-cts\" tests=\"1\" failures=\"0\" errors=\"1\" "
                    "skipped=\"0\" time=\"0.000\">\n"
                    "    <testcase classname=\"ebpf-cts\" name=\"report\" time=\"0.000\">\n"
                    "      <error message=\"");
    if (cts_text_incomplete(b, s) && rep->lost)
        cts_buf_adds(b, "; ");
    if (rep->lost)
        cts_buf_addf(b, "%llu results are missing here for want of room",
                     (unsigned long long)rep->lost);
    cts_buf_adds(b, "\" type=\"incomplete\"/>\n    </testcase>\n  </testsuite>\n");
    cts_text_flush(b, rep->opts.out);
}

static void write_all(struct rep *rep, const struct cts_summary *summary)
{
    const char *when = rep->opts.time;
    bool missing = rep->lost || summary->end != CTS_END_WHOLE;
    struct suite all = {.ns = summary->ns, .tests = missing, .errors = missing};
    for (size_t i = 0; i < rep->count; i++) {
        all.tests += rep->suites[i].tests;
        all.failures += rep->suites[i].failures;
        all.errors += rep->suites[i].errors;
    }
    cts_buf_clear(&rep->name);
    cts_buf_adds(&rep->name,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ebpf-cts\"");
    write_counts(rep, &all);
    cts_buf_adds(&rep->name, ">\n");
    cts_text_flush(&rep->name, rep->opts.out);
    for (size_t i = 0; i < rep->count; i++)
        write_suite(rep, &rep->suites[i], when);
    if (missing)
        write_missing(rep, summary);
    fputs("</testsuites>\n", rep->opts.out);
    fflush(rep->opts.out);
}

static void junit_end(void *arg, const struct cts_summary *s)
{
    struct rep *rep = arg;
    if (rep->spool && cts_outfile_flush(rep->spool) != 0)
        rep->lost++;
    write_all(rep, s);
    if (rep->lost && rep->opts.lost)
        *rep->opts.lost = true;
    if (rep->spool)
        fclose(rep->spool);
    for (size_t i = 0; i < rep->count; i++) {
        free(rep->suites[i].name);
        free(rep->suites[i].version);
        free(rep->suites[i].reason);
    }
    free(rep->suites);
    cts_buf_release(&rep->body);
    cts_buf_release(&rep->name);
    free(rep);
}

const struct cts_reporter cts_reporter_junit = {
    .name = "junit",
    .what = "JUnit XML, as CI systems read it",
    .start = junit_start,
    .engine = junit_engine,
    .result = junit_result,
    .end = junit_end,
};
