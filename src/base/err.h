/* What went wrong, in words an administrator can act on.
 *
 * Rooms below httpd do not log what they also return: they fill an mm_err_t and return its status; whoever gives up
 * logs it, once. A success leaves the error untouched.
 */
#ifndef MM_ERR_H
#define MM_ERR_H

#include <apr_errno.h>

#define MM_ERR_TEXT_MAX 512

typedef struct mm_err {
    apr_status_t status;
    char text[MM_ERR_TEXT_MAX]; /* a sentence, cut at the limit, always terminated */
} mm_err_t;

/* Fills err (which may be NULL) and returns status, so that a caller can `return mm_err_set(err, APR_EGENERAL, "…")`.
 */
apr_status_t mm_err_set(mm_err_t *err, apr_status_t status, const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));

/* As mm_err_set, with ": " and the system's own text for status appended. */
apr_status_t mm_err_set_os(mm_err_t *err, apr_status_t status, const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));

#endif
