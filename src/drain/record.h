/* The records of a batch file: one BSON document each, and back.
 *
 * Reading is strict: a record has exactly the fields of its kind, each once and of its type, within the limits of
 * events; what mm_record_decode accepts, the functions here can write again.
 */
#ifndef MM_RECORD_H
#define MM_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <bson/bson.h>
#include "base/err.h"
#include "count/delta.h"
#include "event/event.h"
#include "spool/spool.h"
#include "store/ledger.h"

/* 2: logs, days, windows, and counts that are negative. Files of version 1 are read, too. */
#define MM_RECORD_VERSION 2
/* A segment's name is a file name. */
#define MM_RECORD_NAME_MAX 255
/* What tells two batches of the same spool and number apart: hexadecimal digits. */
#define MM_RECORD_NONCE_LEN 24
/* No record is longer: the longest is a delta with all its strings and some 250 bytes of names and numbers. */
#define MM_RECORD_MAX 2048

typedef enum mm_record_kind {
    MM_RECORD_BATCH = 1,
    MM_RECORD_SEGMENT = 2,
    MM_RECORD_LOG = 3,
    MM_RECORD_DELTA = 4,
    MM_RECORD_WINDOW = 5,
    MM_RECORD_END = 8
} mm_record_kind_t;

typedef struct mm_record {
    mm_record_kind_t kind;
    /* batch */
    int32_t version;
    char spool[MM_SPOOL_ID_LEN + 1];
    int64_t seq;
    char nonce[MM_RECORD_NONCE_LEN + 1];
    /* segment */
    char name[MM_RECORD_NAME_MAX + 1];
    int64_t to;
    /* log */
    mm_ledger_t ledger;
    int32_t done;
    /* delta; its strings are the buffers below */
    mm_delta_t delta;
    int32_t delta_kind;
    char type[MM_EVENT_TYPE_MAX + 1];
    char id[MM_EVENT_ID_MAX + 1];
    char user[MM_EVENT_USER_MAX + 1];
    /* window; and to */
    int64_t generation;
    /* end */
    int64_t segments, deltas;
} mm_record_t;

/* Each fills doc, which is initialised and empty. */
void mm_record_batch(bson_t *doc, const char *spool_id, int64_t seq, const char *nonce);
void mm_record_segment(bson_t *doc, const char *name, int64_t to);
void mm_record_log(bson_t *doc, const mm_ledger_t *ledger);
void mm_record_delta(bson_t *doc, const mm_delta_t *delta);
void mm_record_window(bson_t *doc, int64_t generation, int64_t to);
void mm_record_end(bson_t *doc, int64_t segments, int64_t deltas);

/* Appends text as it is: a BSON string when it is UTF-8, binary otherwise. */
void mm_record_append_bytes(bson_t *doc, const char *key, const char *text);

/* Reads one record. APR_EINVAL and a sentence when it is not one; APR_EGENERAL when a newer version of this program
 * wrote it, which is only told of the first record of a file. */
apr_status_t mm_record_decode(mm_record_t *record, const uint8_t *data, size_t len, mm_err_t *err);

#endif
