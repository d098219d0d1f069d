/* The handshake, and what a worker says of itself. */
#include <string.h>

#include "adapter_check/impl.h"

enum { LOWEST_UNKNOWN = 0x40000000 };

/* Greets and wants an engine; *caps is what it says. */
static int greet(struct ac *k, uint32_t lowest, uint32_t highest, const char *engine,
                 struct cts_caps *caps)
{
    char reason[CTS_ERR_MSG_MAX];
    int code;
    int rc = ac_hello(k, lowest, highest, engine);
    if (rc == 0)
        rc = ac_want_caps(k, caps, &code, reason);
    if (rc == 0 && code)
        rc = ac_fail(k, "it refuses, with code %d: %s", code, reason);
    return rc;
}

/* Greets and wants a refusal that is no crash. */
static int greet_in_vain(struct ac *k, uint32_t lowest, uint32_t highest, const char *engine,
                         const char *what)
{
    char reason[CTS_ERR_MSG_MAX];
    struct cts_caps caps;
    int code;
    int rc = ac_spawn(k, true);
    if (rc == 0)
        rc = ac_hello(k, lowest, highest, engine);
    if (rc == 0)
        rc = ac_want_caps(k, &caps, &code, reason);
    if (rc == 0 && code == 0)
        rc = ac_fail(k, "it opens '%s' although %s", caps.engine, what);
    return rc;
}

static int check_hello(struct ac *k)
{
    int rc = ac_spawn(k, false);
    return rc ? rc : greet(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, k->opts->engine, &k->caps);
}

static int check_caps(struct ac *k)
{
    int rc = ac_open(k);
    return rc ? rc : ac_check_caps(k, &k->caps);
}

static int check_engine(struct ac *k)
{
    if (!k->opts->engine[0])
        return ac_skip(k, "no engine is named");
    int rc = ac_open(k);
    if (rc == 0 && strcmp(k->caps.engine, k->opts->engine) != 0)
        rc = ac_fail(k, "it was asked for the engine '%s' and says that it is '%s'",
                     k->opts->engine, k->caps.engine);
    return rc;
}

static int check_default(struct ac *k)
{
    struct cts_caps caps;
    int rc = ac_spawn(k, true);
    if (rc == 0)
        rc = greet(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, "", &caps);
    if (rc == 0)
        rc = ac_check_caps(k, &caps);
    if (rc == 0 && strcmp(caps.runtime, k->caps.runtime) != 0)
        rc = ac_fail(k, "its runtime is '%s', and '%s' with an engine named", caps.runtime,
                     k->caps.runtime);
    return rc;
}

static int check_version_range(struct ac *k)
{
    struct cts_caps caps;
    int rc = ac_spawn(k, false);
    return rc ? rc : greet(k, CTS_WIRE_VERSION, LOWEST_UNKNOWN, k->opts->engine, &caps);
}

static int check_version_unknown(struct ac *k)
{
    return greet_in_vain(k, LOWEST_UNKNOWN, LOWEST_UNKNOWN + 1, k->opts->engine,
                         "it was offered none but unknown versions");
}

static int check_engine_unknown(struct ac *k)
{
    return greet_in_vain(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, "no-such-engine",
                         "it was asked for 'no-such-engine'");
}

static int check_hello_malformed(struct ac *k)
{
    struct cts_caps caps;
    int rc = ac_spawn(k, false);
    ac_begin(k);
    cts_wr_u32(&k->link->out, CTS_WIRE_VERSION);
    if (rc == 0)
        rc = ac_ask(k, CTS_FT_HELLO, 0, 0);
    if (rc == 0)
        rc = ac_want_failed(k, "a HELLO of 4 bytes");
    return rc ? rc : greet(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, k->opts->engine, &caps);
}

static int check_hello_again(struct ac *k)
{
    int rc = ac_open(k);
    if (rc == 0)
        rc = ac_hello(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, k->opts->engine);
    if (rc == 0)
        rc = ac_want_failed(k, "a second HELLO");
    struct cts_item nothing = ac_item(CTS_STEP_UNLOAD, 5, NULL);
    return rc ? rc : ac_exec(k, &nothing, 1);
}

static int check_exec_early(struct ac *k)
{
    struct cts_caps caps;
    int rc = ac_spawn(k, false);
    if (rc == 0)
        rc = ac_ask_items(k, NULL, 0);
    if (rc == 0)
        rc = ac_want_failed(k, "EXEC before HELLO");
    return rc ? rc : greet(k, CTS_WIRE_VERSION, CTS_WIRE_VERSION, k->opts->engine, &caps);
}

const struct ac_check ac_checks_hello[] = {
    {"hello", "answers HELLO with CAPS and opens the engine", 0, check_hello},
    {"caps", "its capabilities make sense", AC_NEEDS_CAPS, check_caps},
    {"engine", "opens the engine it was asked for", AC_NEEDS_CAPS, check_engine},
    {"engine-default", "opens an engine if none is named", AC_NEEDS_CAPS, check_default},
    {"engine-unknown", "refuses an engine that it does not have, in words", 0,
     check_engine_unknown},
    {"version-range", "picks its version out of a range", AC_NEEDS_CAPS, check_version_range},
    {"version-unknown", "refuses a greeting without a version it speaks", 0, check_version_unknown},
    {"hello-malformed", "answers a malformed HELLO with FAILED, and the next one with CAPS",
     AC_NEEDS_CAPS, check_hello_malformed},
    {"hello-again", "answers a second HELLO with FAILED, and goes on", AC_NEEDS_CAPS,
     check_hello_again},
    {"exec-early", "answers EXEC before HELLO with FAILED, and goes on", AC_NEEDS_CAPS,
     check_exec_early},
    {0},
};
