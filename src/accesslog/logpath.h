/* From the path as a browser sent it to the one that capture records: decoded and cleaned as httpd does it. */
#ifndef MM_LOGPATH_H
#define MM_LOGPATH_H

#include <stdbool.h>
#include <stddef.h>

/* What becomes of %2F: AllowEncodedSlashes On, or NoDecode. (Off answers 404, which no log of a use can hold.) */
typedef enum mm_slashes { MM_SLASHES_DECODE, MM_SLASHES_KEEP } mm_slashes_t;

/* In place; *len never grows. False: httpd answers it with an error, so that it is no path. */
bool mm_logpath_clean(char *path, size_t *len, mm_slashes_t slashes);

/* Whether cleaning could change anything. */
bool mm_logpath_is_clean(const char *path, size_t len);

#endif
