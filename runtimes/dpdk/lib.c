#include "dp.h"

#include <dlfcn.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"

/* Newest first. Every November brings another number. */
enum { NEWEST = 29, OLDEST = 23 };

static ssize_t hear(void *cookie, const char *text, size_t n)
{
    struct dp_words *w = cookie;
    size_t room = sizeof(w->text) - 1 - w->len, take = n < room ? n : room;
    memcpy(w->text + w->len, text, take);
    w->len += take;
    w->text[w->len] = '\0';
    return (ssize_t)n;
}

void dp_clean_words(const struct dp_words *words, char *out, size_t cap)
{
    static const char prefix[] = "BPF: "; /* from 24.03 on */
    size_t n = 0;
    for (const char *p = words->text; *p && n + 1 < cap;) {
        if ((n == 0 || out[n - 1] == '\n') && strncmp(p, prefix, strlen(prefix)) == 0)
            p += strlen(prefix);
        else if (strncmp(p, "(0x", 3) == 0 && strchr(p, ')'))
            p = strchr(p, ')') + 1;
        else if (strncmp(p, " at pc: ", 8) == 0)
            out[n++] = '\n', p++;
        else if (p[0] == ';' && (p[1] == '\n' || p[1] == '\0'))
            p++;
        else
            out[n++] = *p++;
    }
    while (n && out[n - 1] == '\n')
        n--;
    out[n] = '\0';
}

static int find_library(struct dp_library *lib, struct cts_err *err)
{
    char name[32];
    for (lib->abi = NEWEST; lib->abi >= OLDEST; lib->abi--) {
        cts_fmt(name, sizeof(name), "librte_bpf.so.%u", lib->abi);
        /* It registers things when it is loaded, and is not made to go again. */
        lib->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (lib->handle)
            return 0;
    }
    return cts_err_set(err, CTS_E_UNSUPPORTED,
                       "cannot find librte_bpf.so of version %u or later: apt-get install "
                       "librte-bpf%u, or what this release has",
                       OLDEST, OLDEST);
}

/* A pointer to a function is not one to an object in C, but dlsym() knows no other. */
static bool find_symbol(const struct dp_library *lib, const char *name, void *slot)
{
    void *at = dlsym(lib->handle, name);
    memcpy(slot, &at, sizeof(at));
    return at != NULL;
}

static int find_symbols(struct dp_library *lib, struct cts_err *err)
{
    const char *(*version)(void);
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        {"rte_bpf_load", &lib->load},
        {"rte_bpf_destroy", &lib->destroy},
        {"rte_bpf_exec", &lib->exec},
        {"rte_bpf_get_jit", &lib->get_native},
        {"rte_openlog_stream", &lib->open_log},
        {"per_lcore__rte_errno", &lib->error},
        {"rte_version", &version},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(wanted); i++)
        if (!find_symbol(lib, wanted[i].name, wanted[i].slot))
            return cts_err_set(err, CTS_E_UNSUPPORTED, "librte_bpf.so.%u has no %s", lib->abi,
                               wanted[i].name);
    lib->version = version();
    return 0;
}

static int open_log(struct dp_library *lib, struct cts_err *err)
{
    lib->log = fopencookie(&lib->words, "w", (cookie_io_functions_t){.write = hear});
    if (!lib->log || lib->open_log(lib->log) != 0)
        return cts_err_set(err, CTS_E_NOMEM, "the library's log cannot be redirected");
    return 0;
}

int dp_library_open(struct dp_library *lib, struct cts_err *err)
{
    *lib = (struct dp_library){0};
    int rc = find_library(lib, err);
    if (rc == 0)
        rc = find_symbols(lib, err);
    if (rc == 0)
        rc = open_log(lib, err);
    if (rc != 0)
        dp_library_close(lib);
    return rc;
}

void dp_library_close(struct dp_library *lib)
{
    if (lib->log) {
        lib->open_log(NULL);
        fclose(lib->log);
    }
    if (lib->handle)
        dlclose(lib->handle);
    *lib = (struct dp_library){0};
}
