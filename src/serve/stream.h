/* The body of a report on its way out: collected to some tens of KiB, passed on, flushed at least once a second, so
 * that a reader sees it grow and memory does not.
 */
#ifndef MM_STREAM_H
#define MM_STREAM_H

#include "httpd.h"

typedef struct mm_stream mm_stream_t;

mm_stream_t *mm_stream_create(request_rec *r);

/* The signature of report/sink.h; baton is the stream. Fails once the client is gone, also with a len of 0: so one who
 * leaves while nothing can be sent yet is noticed. A client that has closed its half of the connection is gone; it may
 * be one that still reads, which cannot be told from one that is not there without sending something. */
apr_status_t mm_stream_write(void *stream, const char *data, size_t len);

/* Whether anything has gone to the client; until then another answer can still be given, and mm_stream_break must not
 * be used. */
int mm_stream_started(const mm_stream_t *stream);

/* The report is complete. Returns what the handler must return. */
int mm_stream_end(mm_stream_t *stream);

/* The report broke after its first byte: breaks the transfer (no last chunk on HTTP/1.1, a reset stream on HTTP/2, a
 * reset connection on HTTP/1.0), so that nobody takes a part for the whole. Returns what the handler must return. */
int mm_stream_break(mm_stream_t *stream);

#endif
