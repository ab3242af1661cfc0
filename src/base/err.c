/* Errors as sentences: formatting into the caller's own mm_err_t, so that no allocation can fail on the way to saying
 * what failed. Holds no state; any thread.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static void set(mm_err_t *err, apr_status_t status, const char *format,
                                                      va_list args)
{
    err->status = status;
    if (vsnprintf(err->text, sizeof(err->text), format, args) < 0) {
        err->text[0] = '\0';
    }
}

apr_status_t mm_err_set(mm_err_t *err, apr_status_t status, const char *format, ...)
{
    if (err != NULL) {
        va_list args;

        va_start(args, format);
        set(err, status, format, args);
        va_end(args);
    }
    return status;
}

apr_status_t mm_err_set_os(mm_err_t *err, apr_status_t status, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        size_t used;
        char why[160]; /* longer than any text of glibc's or APR's */

        va_start(args, format);
        set(err, status, format, args);
        va_end(args);
        used = strlen(err->text);
        snprintf(err->text + used, sizeof(err->text) - used, ": %s", apr_strerror(status, why, sizeof(why)));
    }
    return status;
}
