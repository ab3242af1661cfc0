/* What of a request tells who the visitor is, to the application behind httpd: its session's cookie, its keys. */
#ifndef MM_CAPTURE_IDENTITY_H
#define MM_CAPTURE_IDENTITY_H

#include "config/config.h"
#include "event/event.h"

/* The event's session (MetricsSessionCookie) and identity (MetricsIdentity): hashes in r->pool, absent where the
 * request brings none. The values themselves go nowhere. */
mm_bytes_t mm_capture_session(const request_rec *r, const mm_dir_config_t *conf);
mm_bytes_t mm_capture_identity(const request_rec *r, const mm_dir_config_t *conf);

#endif
