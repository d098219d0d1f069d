#include <string.h>

#include "base/fmt.h"
#include "core/core.h"

bool cts_known_means(const char *word, const char *engine)
{
    size_t len = strlen(word);
    return strncmp(word, engine, len) == 0 && (!engine[len] || strncmp(engine + len, " -", 2) == 0);
}

static bool has_engine(const struct cts_known *k, const char *engine)
{
    for (size_t i = 0; k->engines && k->engines[i]; i++)
        if (cts_known_means(k->engines[i], engine))
            return true;
    return !k->engines || !k->engines[0];
}

bool cts_known_names(const struct cts_known *k, const char *vector, const char *kase)
{
    char id[512];
    /* Most cases differ where the glob has letters yet. */
    if (strncmp(k->vectors, vector, strcspn(k->vectors, "*?#")) != 0)
        return false;
    if (!strchr(k->vectors, '#'))
        return cts_glob(k->vectors, vector);
    cts_fmt(id, sizeof(id), "%s#%s", vector, kase);
    return cts_glob(k->vectors, id);
}

bool cts_known_covers(const struct cts_known *k, const char *engine, const char *version,
                      const char *vector, const char *kase)
{
    return has_engine(k, engine) && cts_known_names(k, vector, kase) &&
           (!k->versions || cts_version_in(k->versions, version));
}

bool cts_known_fits(const struct cts_known *k, const char *label)
{
    bool all = true; /* nothing but exceptions yet */
    bool fits = false;
    for (size_t i = 0; k->variants && k->variants[i]; i++) {
        const char *glob = k->variants[i];
        bool except = *glob == '!';
        if (except && cts_glob(glob + 1, label))
            return false;
        all = all && except;
        fits = fits || (!except && cts_glob(glob, label));
    }
    return all || fits;
}

bool cts_known_explains(const struct cts_known *k, enum cts_failure failure)
{
    return !k->failure || strcmp(k->failure, cts_failure_name(failure)) == 0;
}
