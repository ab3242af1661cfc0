/* What of a request tells who the visitor is, to the application behind httpd: its session's cookie, its keys. */
#ifndef MM_CAPTURE_IDENTITY_H
#define MM_CAPTURE_IDENTITY_H

#include "config/config.h"
#include "event/event.h"

/* Fills in event->session (MetricsSessionCookie) and event->identity (MetricsIdentity) with hashes in r->pool. The
 * values themselves go nowhere. */
void mm_capture_identity(mm_event_t *event, const request_rec *r, const mm_dir_config_t *conf);

#endif
