/* The names of segments: TIME-PID-N-SEED.seg, hexadecimal of fixed width, so that names sort by time. For the writer
 * and the reader of this room.
 */
#ifndef MM_SPOOL_NAME_H
#define MM_SPOOL_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define MM_SPOOL_NAME_LEN 47 /* 16 + 8 + 8 + 8 digits, 3 dashes, ".seg" */
#define MM_SPOOL_NEW_LEN  (MM_SPOOL_NAME_LEN + 1)

typedef struct mm_spool_name {
    int64_t time_us; /* of its creation */
    uint32_t pid;    /* of its writer */
    uint32_t n;      /* how many segments the writer made before it */
    uint32_t seed;   /* of its frames */
} mm_spool_name_t;

/* Into text[MM_SPOOL_NAME_LEN + 1]. */
void mm_spool_name_format(char *text, const mm_spool_name_t *name);

/* The name a segment has until it is locked, ".TIME-….new", into text[MM_SPOOL_NEW_LEN + 1]. */
void mm_spool_name_format_new(char *text, const mm_spool_name_t *name);

/* Whether text is a segment's name, exactly as mm_spool_name_format writes it. */
bool mm_spool_name_parse(mm_spool_name_t *name, const char *text);

/* Whether text is what mm_spool_name_format_new writes. */
bool mm_spool_name_is_new(const char *text);

#endif
