/* A buffer in front of a sink. What a report is made of are millions of pieces of a few bytes. After the sink has
 * failed all calls do nothing, so that callers need to look at the status only where it suits them. One thread at a
 * time.
 */
#ifndef MM_OUT_H
#define MM_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include "report/sink.h"

#define MM_OUT_BYTES 8192

typedef struct mm_out {
    mm_sink_fn sink;
    void *baton;
    apr_status_t status; /* first failure of the sink; from then on nothing is written */
    size_t used;
    char buffer[MM_OUT_BYTES];
} mm_out_t;

void mm_out_init(mm_out_t *out, mm_sink_fn sink, void *baton);

/* Hands what is buffered to the sink, if that is nothing, too, and returns the first failure, if any. */
apr_status_t mm_out_flush(mm_out_t *out);

void mm_out_put(mm_out_t *out, const char *data, size_t len);
void mm_out_text(mm_out_t *out, const char *text);
void mm_out_int(mm_out_t *out, int64_t number);

/* A byte that is no part of UTF-8 text, as %XX. */
void mm_out_percent(mm_out_t *out, char byte);

#define MM_TIME_TEXT 19
#define MM_DAY_TEXT  10 /* of these, the date */

/* YYYY-MM-DD HH:MM:SS in UTC, not terminated; between is what stands between date and time (a space, or T), and a part
 * of a second is cut off towards the past. False for MM_TIME_NONE and outside the years 0000 to 9999. */
bool mm_time_text(char text[MM_TIME_TEXT], int64_t ms, char between);

static inline void mm_out_byte(mm_out_t *out, char byte)
{
    if (out->used == sizeof(out->buffer)) {
        mm_out_flush(out);
    }
    out->buffer[out->used++] = byte;
}

#endif
