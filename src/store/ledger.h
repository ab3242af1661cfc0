/* metrics_meta, one document for each access log that was imported: up to where its lines are counted.
 *
 *   {_id: "log:ID", head, offset, passes: {"SINCE-UNTIL": offset}, lines, bad, uses, name, first, last, imported,
 *    importer: {spool, host, since}}
 *
 * ID is a hash of the log's first `head` bytes, so a log that was renamed, packed or has grown is the same. All numbers
 * are of the whole log and only ever grow, so that putting the same again changes nothing. `offset` is of imports of
 * all requests, `passes` are those of a span of time (milliseconds since 1970; 0: no limit). `importer` is there while
 * somebody works on it.
 */
#ifndef MM_LEDGER_H
#define MM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "count/delta.h"
#include "store/passes.h"
#include "store/store.h"

#define MM_LEDGER_ID_LEN   40
#define MM_LEDGER_NAME_MAX 255

typedef struct mm_ledger {
    char id[MM_LEDGER_ID_LEN + 1];     /* hexadecimal digits */
    char name[MM_LEDGER_NAME_MAX + 1]; /* of the file, when it was last imported; any bytes */
    int64_t head;                      /* bytes that the id is a hash of; 0: there is no document */
    int64_t since_ms, until_ms;        /* of the pass: which requests are taken; 0: no limit */
    int64_t offset;                    /* the first byte, of the unpacked log, that the pass has not seen */
    int64_t lines, bad, uses;          /* before it; uses, of all passes */
    int64_t first_ms, last_ms;         /* when its requests were, or MM_TIME_NONE */
    bool done;                         /* nobody works on it any more */
} mm_ledger_t;

/* Somebody else works on this log; err says who. */
#define MM_LEDGER_TAKEN (APR_OS_START_USERERR + 107)

/* Makes the log ours (of this spool): nobody else can until it is put with done. take_over: also if it is somebody
 * else's. */
apr_status_t mm_ledger_claim(mm_store_t *store, const char *id, const char *spool_id, bool take_over, mm_err_t *err);

/* Gives it back without anything else. */
apr_status_t mm_ledger_release(mm_store_t *store, const char *id, const char *spool_id, mm_err_t *err);

/* Of the logs with one of these ids the one with the longest head of which anything is counted; its offset is that of
 * the pass that went furthest. *found and *passes are all zeros when there is none. */
apr_status_t mm_ledger_find(mm_store_t *store, const char *const *ids, size_t n, mm_ledger_t *found,
                            mm_passes_t *passes, mm_err_t *err);

/* What is known of a log is so of one that it has grown into, too. All at once: whoever finds that one asks no other.
 */
apr_status_t mm_ledger_adopt(mm_store_t *store, const mm_ledger_t *ledger, const mm_passes_t *passes, mm_err_t *err);

/* Writes what is known now; with done, gives it back. To be called when the lines' counts are applied. */
apr_status_t mm_ledger_put(mm_store_t *store, const char *spool_id, const mm_ledger_t *ledger, mm_err_t *err);

#endif
