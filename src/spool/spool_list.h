/* What the reader knows of the segments in the directory, oldest first. For this room. */
#ifndef MM_SPOOL_LIST_H
#define MM_SPOOL_LIST_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "spool/spool_name.h"

/* Segments looked at in one round. There are as many as processes that write, and what they fill in a while; with more
 * (a database that was away for days, with children that die young) the oldest come first. */
#define MM_SPOOL_LIST_MAX 16384

typedef struct mm_segment {
    char name[MM_SPOOL_NAME_LEN + 1];
    uint32_t seed;
    bool sealed;     /* its lock was had: nobody will write to it again */
    bool finished;   /* sealed, and read to its end */
    bool removed;    /* by mm_spool_reader_release; the next scan forgets it */
    int64_t offset;  /* up to which it was read */
    int64_t marked;  /* up to which it was read when mm_spool_reader_mark was last called */
    int64_t wiped;   /* up to which its bytes were given back to the disk, by this reader */
    int64_t doubted; /* 1 + the offset at which an earlier round saw no frame while the writer lived; 0: none */
} mm_segment_t;

/* All zero is an empty list. */
typedef struct mm_spool_list {
    mm_segment_t *items;
    size_t n, room;
    size_t sorted;   /* so many at the beginning are in order and without doubles; after a scan, all */
    bool has_new;    /* the last scan saw files that are not yet segments */
    bool incomplete; /* the last scan left segments out, because there are more than MM_SPOOL_LIST_MAX */
} mm_spool_list_t;

/* Adds a segment that was read up to offset, or sets its offset. A name that is none is ignored. Of two that are given
 * between two scans, not in order, for one segment the farther one holds. */
apr_status_t mm_spool_list_set(mm_spool_list_t *list, const char *name, int64_t offset);

/* Brings the list up to date with the directory: forgets what is gone or was removed, adds what is new. Pointers into
 * the list end here. */
apr_status_t mm_spool_list_scan(mm_spool_list_t *list, DIR *dir, mm_err_t *err);

/* Remembers all offsets. */
void mm_spool_list_mark(mm_spool_list_t *list);

/* All offsets are again what they were at the mark. */
void mm_spool_list_back(mm_spool_list_t *list);

void mm_spool_list_free(mm_spool_list_t *list);

#endif
