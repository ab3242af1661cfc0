/* Room on the disk for the next batch, kept while there is some: on a full disk only the drainer can make room, and for
 * that it must write a batch first.
 *
 * The room is DIR/batch.tmp itself, allocated beforehand and written over from its beginning. What a batch does not
 * need of it goes back to the disk with the batch. Another reserve is made at once, so that the spool cannot fill the
 * disk before it while the database is away; where there is no room for it, when the segments of that batch are gone.
 */
#ifndef MM_RESERVE_H
#define MM_RESERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <apr_errno.h>

/* The largest batch takes 8 to 10 MiB with ids and users as they mostly are (30000 documents). One that is larger, with
 * strings as long as they may be, is made smaller when the disk is full. */
#define MM_RESERVE_MAX (INT64_C(16) * 1024 * 1024)
/* A block. Less holds no batch. */
#define MM_RESERVE_MIN INT64_C(4096)

/* Makes it as large as MM_RESERVE_MAX, or as the disk allows. Returns how large it is; 0: there is none, which is no
 * error. */
int64_t mm_reserve_make(const char *dir);

/* Allocates up to that many bytes behind offset `at` of an open file, whose length stays as it is. Returns how many; as
 * few as MM_RESERVE_MIN, or 0. */
int64_t mm_reserve_ahead(int fd, int64_t at, int64_t bytes);

/* Whether status means that the disk, the quota or the file is full. */
bool mm_reserve_no_room(apr_status_t status);

#endif
