/* GET and HEAD of a report: permission, first rows, headers, body. */
#ifndef MM_REPORTS_H
#define MM_REPORTS_H

#include "httpd.h"
#include "report/writer.h"
#include "route/format.h"
#include "route/route.h"
#include "serve/guard.h"
#include "serve/location.h"
#include "serve/stream.h"

int mm_reports_serve(request_rec *r, const mm_route_t *route, const mm_location_t *location);

/* A report whose requester may see it, in whatever dialect he asked. */
typedef struct mm_answer {
    const mm_route_t *route;
    mm_guard_t *guard;
    const char *const *types; /* those of the route that the requester may see */
    size_t n_types;
    mm_stream_t *stream;
    mm_writer_t *writer; /* into the stream */
    const mm_format_info_t *format;
    const char *file; /* what a browser calls it, without what stands behind the dot */
    /* Sends what there is instead of a report, and returns what the handler must return. */
    int (*refuse)(request_rec *r, int status, const char *why);
} mm_answer_t;

/* From the quota to the last byte. Returns what the handler must return. */
int mm_reports_answer(request_rec *r, const mm_answer_t *answer);

#endif
