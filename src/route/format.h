/* The forms that an answer can have, in one table: what asks for them and what they are called on the way. */
#ifndef MM_FORMAT_H
#define MM_FORMAT_H

#include <apr_pools.h>
#include "route/route.h"

typedef struct mm_format_info {
    mm_format_t format;
    const char *name; /* in ?format=, at the end of a path and of a file's name */
    unsigned of;      /* MM_PARAMS_…: which endpoints have it */
    const char *media;
    const char *content_type;
    int to_keep; /* a browser keeps it as a file rather than to show it */
} mm_format_info_t;

/* The format of this name that an endpoint has, or NULL. */
const mm_format_info_t *mm_format_named(unsigned takes, const char *name);

/* The one that a client wants most; where it does not mind, one that it named, then the first in the table, which is
 * what it gets, too, when it says nothing. NULL: it wants none that there is. */
const mm_format_info_t *mm_format_accepted(unsigned takes, const char *accept);

/* "csv, json": what there is, for a sentence. */
const char *mm_format_names(unsigned takes, apr_pool_t *pool);

/* The same as media types. */
const char *mm_format_media(unsigned takes, apr_pool_t *pool);

/* What is known of one; MM_FORMAT_ANY is none. */
const mm_format_info_t *mm_format_info(unsigned takes, mm_format_t format);

#endif
