/* The arguments of a provider: words as name=value, the value perhaps in quotes. */
#ifndef MM_AUTHZ_ARGS_H
#define MM_AUTHZ_ARGS_H

#include "httpd.h"

typedef struct mm_arg {
    const char *name;
    const char **value; /* set where the argument is given */
} mm_arg_t;

/* Reads args, in which each of the n known ones may stand once. Returns NULL, or what is wrong. */
const char *mm_args_read(const char *args, const mm_arg_t *known, size_t n, apr_pool_t *pool);

/* Whether args begin with one of the known names and "=". */
int mm_args_are_named(const char *args, const mm_arg_t *known, size_t n);

/* A number from min to max, as 10 or 0.5; NULL or what is wrong. text NULL leaves *value alone. */
const char *mm_args_number(double *value, const char *name, const char *text, double min, double max, apr_pool_t *pool);

#endif
