/* Answers that say what went wrong: RFC 9457 problem details, or plain text, as the client's Accept prefers. */
#ifndef MM_PROBLEM_H
#define MM_PROBLEM_H

#include "httpd.h"

#define MM_RETRY_AFTER_S 10 /* the database's outage is rarely shorter, and a drainer asks again about as often */

/* Sends status with a sentence, and returns what the handler must return. Headers that belong to the status (Allow,
 * Retry-After, …) are set by the caller in r->err_headers_out; 429 and 503 get Retry-After when it is missing. */
int mm_problem_send(request_rec *r, int status, const char *detail);

#endif
