/* A list so short that all is done by looking through it. Pure. */
#include "store/passes.h"

static bool contains(const mm_pass_t *pass, int64_t since_ms, int64_t until_ms)
{
    return pass->since_ms <= since_ms && (pass->until_ms == 0 || (until_ms != 0 && until_ms <= pass->until_ms));
}

static bool replaces(const mm_pass_t *pass, const mm_pass_t *other)
{
    return pass->to >= other->to && contains(pass, other->since_ms, other->until_ms);
}

bool mm_passes_add(mm_passes_t *passes, const mm_pass_t *pass)
{
    size_t kept = 0;

    for (size_t i = 0; i < passes->n; i++) {
        if (replaces(&passes->pass[i], pass)) {
            return true;
        }
    }
    for (size_t i = 0; i < passes->n; i++) {
        if (!replaces(pass, &passes->pass[i])) {
            passes->pass[kept++] = passes->pass[i];
        }
    }
    passes->n = kept;
    if (kept == MM_PASSES_ROOM) {
        return false;
    }
    passes->pass[passes->n++] = *pass;
    return true;
}

bool mm_passes_counted(const mm_passes_t *passes, int64_t at, int64_t time_ms)
{
    for (size_t i = 0; i < passes->n; i++) {
        const mm_pass_t *pass = &passes->pass[i];

        if (at < pass->to && time_ms >= pass->since_ms && (pass->until_ms == 0 || time_ms < pass->until_ms)) {
            return true;
        }
    }
    return false;
}

int64_t mm_passes_to(const mm_passes_t *passes, int64_t since_ms, int64_t until_ms)
{
    int64_t to = 0;

    for (size_t i = 0; i < passes->n; i++) {
        if (passes->pass[i].to > to && contains(&passes->pass[i], since_ms, until_ms)) {
            to = passes->pass[i].to;
        }
    }
    return to;
}

int64_t mm_passes_furthest(const mm_passes_t *passes)
{
    int64_t to = 0;

    for (size_t i = 0; i < passes->n; i++) {
        to = passes->pass[i].to > to ? passes->pass[i].to : to;
    }
    return to;
}
