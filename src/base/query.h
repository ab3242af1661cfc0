/* The query of a URL and the Cookie header, as they came from a visitor: any bytes. Pure functions; any thread. */
#ifndef MM_QUERY_H
#define MM_QUERY_H

#include <stdbool.h>
#include <stddef.h>

/* Finds the next parameter of this name in *query, which advances behind it; begins with the whole query (without its
 * "?"), which may be NULL with *len 0. A name is compared byte by byte once it is decoded. *value points into the
 * query, not decoded; a parameter without "=" has an empty one. False when there is none. */
bool mm_query_next(const char **query, size_t *len, const char *name, const char **value, size_t *value_len);

/* Decodes %XX and "+" into out (at least len bytes) and returns how many it took. A "%" without two hexadecimal digits
 * stays what it is. */
size_t mm_query_decode(char *out, const char *text, size_t len);

/* The first cookie of this name in a Cookie header (RFC 6265: pairs joined by "; "), without quotes around its value,
 * not decoded; it points into the header. False when there is none, or it is empty. */
bool mm_cookie_find(const char *header, const char *name, const char **value, size_t *value_len);

#endif
