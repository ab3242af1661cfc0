/* What a batch of events adds to one document. */
#ifndef MM_DELTA_H
#define MM_DELTA_H

#include <stdint.h>

typedef enum mm_delta_kind {
    MM_DELTA_RESOURCE = 1, /* metrics_TYPE, _id = id */
    MM_DELTA_USER = 2,     /* metrics_users, one document for each type, id and user */
    MM_DELTA_DAY = 3       /* metrics_days, one for each type, id, day and user, or nobody */
} mm_delta_kind_t;

#define MM_TIME_NONE INT64_MIN

typedef struct mm_delta {
    mm_delta_kind_t kind;
    const char *type;
    const char *id;   /* any bytes but NUL */
    const char *user; /* NULL for MM_DELTA_RESOURCE, and for the anonymous uses of MM_DELTA_DAY */
    int64_t day_ms;   /* of MM_DELTA_DAY: when the day began, UTC; else MM_TIME_NONE */
    /* Robots are in none of these; machine_… is the part of views and downloads that scripts and marked agents made. A
     * use that turned out to be the first half of a double-click is taken back, so any may be negative. */
    int64_t views, downloads, machine_views, machine_downloads;
    /* Uses of which a user's several in one hour of the clock count once; investigations: of any kind. */
    int64_t unique_views, unique_downloads, unique_investigations;
    int64_t machine_unique_views, machine_unique_downloads, machine_unique_investigations;
    /* Milliseconds since 1970 UTC, or MM_TIME_NONE; not in MM_DELTA_DAY. Of all clicks, double ones among them. */
    int64_t last_viewed_ms, last_downloaded_ms, first_seen_ms;
} mm_delta_t;

#endif
