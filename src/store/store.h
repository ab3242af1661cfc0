/* MongoDB: the data model of docs/data-model.md. The only room that includes mongoc.h; its headers do not.
 *
 * A store is one connection, for one thread, of the process that opened it. Opening does not connect; the first call
 * that needs the server does, and fails within seconds when it is away (connectTimeoutMS 2000, serverSelectionTimeoutMS
 * 3000, socketTimeoutMS 10000 unless the URI says otherwise). Error texts never hold the URI's password.
 */
#ifndef MM_STORE_H
#define MM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "base/err.h"
#include "count/delta.h"

typedef struct mm_store mm_store_t;

#define MM_STORE_PREFIX_DEFAULT "metrics_"

/* Once per process, after any fork and before the first mm_store_open. There is no end: libmongoc cannot be started
 * twice. */
void mm_store_init(void);

/* The database is the one the URI names, else "metrics". pool's end closes the connection. APR_EINVAL: the URI is
 * malformed. */
apr_status_t mm_store_open(mm_store_t **store, const char *uri, const char *prefix, apr_pool_t *pool, mm_err_t *err);

/* The same for a report whose rows the server makes before it sends the first one (MM_STORE_SORT_PATIENCE): an answer
 * may take so many times as long. */
#define MM_STORE_SORT_PATIENCE 6
apr_status_t mm_store_open_patient(mm_store_t **store, const char *uri, const char *prefix, apr_pool_t *pool,
                                   mm_err_t *err);

/* Checks a URI without connecting, for the start of httpd. Does not need mm_store_init. */
apr_status_t mm_store_check_uri(const char *uri, apr_pool_t *pool, mm_err_t *err);

/* The URI fit for a log: user name and password replaced. */
const char *mm_store_redact_uri(const char *uri, apr_pool_t *pool);

/* Makes the indexes the reports need, for each type and for users, as many of them as can be made; err says what became
 * of the first that cannot. Cheap when they exist. MM_STORE_UNFIT: a collection of ours exists and is a view, or
 * compares text in another way than byte by byte (a collation), so that two ids would share a document: nothing must be
 * applied. MM_STORE_AWAY: no answer. Any other failure is the server's refusal, which does not keep counts from being
 * applied. */
apr_status_t mm_store_prepare(mm_store_t *store, const char *const *types, size_t n, mm_err_t *err);

/* The spool is not the only one that gives out its batches' numbers: see mm_store_claim. */
#define MM_STORE_FOREIGN (APR_OS_START_USERERR + 102)
/* A collection is not one that counts can be kept in: see mm_store_prepare. */
#define MM_STORE_UNFIT (APR_OS_START_USERERR + 103)

/* To be called before the first delta of a batch is applied: notes in metrics_meta that this is batch seq of the spool,
 * nonce being what tells it from any other batch of that number. Claiming the same again is always fine.
 * MM_STORE_FOREIGN: the database knows a later batch of this spool, or another one with this number. Then numbers are
 * given out twice (the spool was copied, or what it remembers was lost or put back from a backup), and documents would
 * take counts they do not have for applied: nothing may be applied. MM_STORE_AWAY or another failure: not known. */
apr_status_t mm_store_claim(mm_store_t *store, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err);

/* Somebody asks all spools to begin no batch: see pause.h. mm_store_claim returns it. */
#define MM_STORE_PAUSED (APR_OS_START_USERERR + 105)

/* To be called when all of a claimed batch is applied: notes that in metrics_meta. */
apr_status_t mm_store_settle(mm_store_t *store, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err);

/* Whether that was noted: nothing of the batch need, or may, be applied again. To be called behind the claim. */
apr_status_t mm_store_settled(mm_store_t *store, const char *spool_id, int64_t seq, const char *nonce, bool *settled,
                              mm_err_t *err);

/* Most of the documents that deltas are applied to will be new: tries to insert them first. Only the speed differs. */
void mm_store_expect_new(mm_store_t *store, bool expected);

typedef enum mm_outcome {
    MM_APPLIED,   /* this document holds the delta now, by this call or an earlier one */
    MM_RETRY,     /* not known, or not now: apply the same again */
    MM_RETRY_ONE, /* the same, but the server did answer, refused this one alone, and gave no reason that we know */
    MM_REJECTED,  /* the database refuses this one, for a reason that lies in this document */
    MM_UNSTORABLE /* was not sent: no event can have made it, no document can be named so */
} mm_outcome_t;

/* Adds deltas to their documents, each at most once however often it is called with the same spool and seq: a document
 * remembers seq.SPOOL and takes no delta whose seq it has reached. A later batch must have a larger seq, and must not
 * be applied before all of the one before is done with, and has at most one delta for a document. It may be handed over
 * in pieces (of some 1000 deltas: one message to the server each). Sets outcomes[i] for each. Returns MM_RETRY if any
 * is MM_RETRY or MM_RETRY_ONE, else MM_REJECTED if any is MM_REJECTED or MM_UNSTORABLE, else MM_APPLIED; err says why
 * when that is not MM_APPLIED. Its status is MM_STORE_FOREIGN when a document has taken a later batch of this spool:
 * somebody else gives out its numbers, too. Write concern: majority, journaled. */
mm_outcome_t mm_store_apply(mm_store_t *store, const char *spool_id, int64_t seq, const mm_delta_t *deltas, size_t n,
                            mm_outcome_t *outcomes, mm_err_t *err);

/* Whether an error means that the server cannot be reached or cannot answer now (a report then says 503 and
 * Retry-After). */
#define MM_STORE_AWAY (APR_OS_START_USERERR + 101)

#endif
