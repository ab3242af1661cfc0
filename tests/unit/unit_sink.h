/* A sink for the tests of what is written: it keeps what it gets as text, and can fail. */
#ifndef UNIT_SINK_H
#define UNIT_SINK_H

#include "unit.h"

typedef struct kept {
    char data[65536];
    size_t len;
    int calls;
    int fail_at;         /* the call, from 1, that keeps nothing and fails; 0: none */
    apr_status_t status; /* of all others */
} kept_t;

static inline apr_status_t keep(void *baton, const char *data, size_t len)
{
    kept_t *kept = baton;

    if (++kept->calls == kept->fail_at) {
        return APR_ECONNABORTED;
    }
    assert_in_range(kept->len + len, 0, sizeof(kept->data) - 1);
    memcpy(kept->data + kept->len, data, len);
    kept->len += len;
    kept->data[kept->len] = '\0';
    return kept->status;
}

#endif
