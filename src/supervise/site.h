/* What the configuration says of the site, for metricsctl: SPOOL/settings.json (src/settings). */
#ifndef MM_SITE_H
#define MM_SITE_H

#include "config/config.h"

/* Writes it, in httpd's parent, at its start and at each reload. A failure is logged: httpd itself needs no such file.
 */
void mm_site_tell(server_rec *s, apr_pool_t *ptemp);

#endif
