/* Where the bytes of a report go. */
#ifndef MM_SINK_H
#define MM_SINK_H

#include <stddef.h>
#include <apr_errno.h>

/* Takes the bytes; anything but APR_SUCCESS ends the report. The bytes are valid during the call only. None at all (len
 * 0) ask whether somebody still wants the report. */
typedef apr_status_t (*mm_sink_fn)(void *baton, const char *data, size_t len);

#endif
