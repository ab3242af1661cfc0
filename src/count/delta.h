/* What a batch of events adds to one document. */
#ifndef MM_DELTA_H
#define MM_DELTA_H

#include <stdint.h>

typedef enum mm_delta_kind {
    MM_DELTA_RESOURCE = 1, /* metrics_TYPE, _id = id */
    MM_DELTA_USER = 2      /* metrics_users, one document for each type, id and user */
} mm_delta_kind_t;

#define MM_TIME_NONE INT64_MIN

typedef struct mm_delta {
    mm_delta_kind_t kind;
    const char *type;
    const char *id;   /* any bytes but NUL */
    const char *user; /* NULL for MM_DELTA_RESOURCE */
    /* Robots are in none of these; machine_… is the part of views and downloads that scripts and marked agents made. */
    int64_t views, downloads, machine_views, machine_downloads;
    /* Milliseconds since 1970 UTC, or MM_TIME_NONE. */
    int64_t last_viewed_ms, last_downloaded_ms, first_seen_ms;
} mm_delta_t;

#endif
