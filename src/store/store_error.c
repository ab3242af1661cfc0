/* What the database's refusals mean: come back later, or never.
 *
 * Two levels. A failure of a whole command (or of the connection) says nothing about single writes, so all of them are
 * tried again, whatever the code: trying again is safe, the fence in each document sees to that. A failure of a single
 * write is final only when its code is on a short list: those with which the server says that this document cannot take
 * this update. Codes of the server's own state mean "again", and so does every other, which we do not know; these are
 * told apart, since the caller must not wait for the latter for ever.
 */
#include "store/store_private.h"

/* The server, or the path to it, is in no state to answer. Numbers: error_codes.yml of the MongoDB server, categories
 * NetworkError, NotPrimaryError, ShutdownError, Interruption, ExceededTimeLimitError, StaleShardVersionError,
 * SystemOverloadedError and RetriableError. */
static bool is_away_code(int32_t code)
{
    switch (code) {
    case 6:     /* HostUnreachable */
    case 7:     /* HostNotFound */
    case 24:    /* LockTimeout */
    case 43:    /* CursorNotFound: the server restarted, or forgot a reader that was too slow */
    case 50:    /* MaxTimeMSExpired */
    case 63:    /* StaleShardVersion */
    case 70:    /* ShardNotFound */
    case 89:    /* NetworkTimeout */
    case 91:    /* ShutdownInProgress */
    case 133:   /* FailedToSatisfyReadPreference */
    case 134:   /* ReadConcernMajorityNotAvailableYet */
    case 150:   /* StaleEpoch */
    case 175:   /* QueryPlanKilled */
    case 189:   /* PrimarySteppedDown */
    case 202:   /* NetworkInterfaceExceededTimeLimit */
    case 216:   /* ElectionInProgress */
    case 237:   /* CursorKilled */
    case 249:   /* StaleDbVersion */
    case 262:   /* ExceededTimeLimit */
    case 279:   /* ClientDisconnect */
    case 290:   /* TransactionExceededLifetimeLimitSeconds */
    case 317:   /* ConnectionPoolExpired */
    case 355:   /* InterruptedDueToStorageChange */
    case 365:   /* TemporarilyUnavailable */
    case 384:   /* ConnectionError */
    case 391:   /* ReauthenticationRequired */
    case 402:   /* ResourceExhausted */
    case 407:   /* PooledConnectionAcquisitionExceededTimeLimit */
    case 433:   /* AdmissionQueueOverflow */
    case 449:   /* RateLimitExceeded */
    case 9001:  /* SocketException */
    case 10058: /* LegacyNotPrimary */
    case 10107: /* NotWritablePrimary */
    case 11600: /* InterruptedAtShutdown */
    case 11601: /* Interrupted */
    case 11602: /* InterruptedDueToReplStateChange */
    case 13388: /* StaleConfig */
    case 13435: /* NotPrimaryNoSecondaryOk */
    case 13436: /* NotPrimaryOrSecondary */
        return true;
    default:
        return false;
    }
}

/* Writes that fail for a reason which passes, or which the administrator will remove. */
static bool is_passing_code(int32_t code)
{
    switch (code) {
    case 13:    /* Unauthorized */
    case 18:    /* AuthenticationFailed */
    case 39:    /* FileStreamFailed */
    case 42:    /* LogWriteFailed */
    case 46:    /* LockBusy */
    case 64:    /* WriteConcernTimeout */
    case 79:    /* UnknownReplWriteConcern */
    case 82:    /* NoProgressMade */
    case 83:    /* RemoteResultsUnavailable */
    case 100:   /* UnsatisfiableWriteConcern */
    case 107:   /* LockFailed */
    case 112:   /* WriteConflict */
    case 117:   /* ConflictingOperationInProgress */
    case 146:   /* ExceededMemoryLimit */
    case 225:   /* TransactionTooOld */
    case 246:   /* SnapshotUnavailable */
    case 250:   /* StaleChunkHistory */
    case 251:   /* NoSuchTransaction */
    case 264:   /* TooManyFilesOpen */
    case 267:   /* PreparedTransactionInProgress */
    case 272:   /* MigrationConflict */
    case 314:   /* ObjectIsBusy */
    case 343:   /* ShardCannotRefreshDueToLocksHeld */
    case 358:   /* InternalTransactionNotSupported */
    case 371:   /* UserWritesBlocked */
    case 8000:  /* AtlasError: rights, or a quota */
    case 12501: /* quota exceeded */
    case 14031: /* OutOfDiskSpace */
        return true;
    default:
        return false;
    }
}

/* The reason lies in the document that is there, or in the one that would come to be. Names as in error_codes.yml; the
 * three of five digits are older and have none there. Not here although they look like it: 9 FailedToParse, 40
 * ConflictingUpdateOperators, 66 ImmutableField and 72 InvalidOptions speak of the update or the collection, hence of
 * all our updates. */
static bool is_document_code(int32_t code)
{
    switch (code) {
    case 2:     /* BadValue: $inc beyond 64 bits, or what $max and $min cannot compare with */
    case 14:    /* TypeMismatch: $inc of what is no number */
    case 28:    /* PathNotViable: "seq" is no document */
    case 52:    /* DollarPrefixedFieldName: in the document that is there */
    case 54:    /* NotSingleValueField: an array where a shard key must not have one */
    case 121:   /* DocumentValidationFailure */
    case 171:   /* CannotIndexParallelArrays: two arrays in the fields of one index */
    case 10334: /* BSONObjectTooLarge */
    case 11000: /* DuplicateKey of another index than _id's */
    case 17280: /* KeyTooLong: an index entry, where the feature compatibility is below 4.2 */
    case 17419: /* the document after the update would be larger than 16 MB */
        return true;
    default:
        return false;
    }
}

mm_outcome_t mm_store_outcome_of_code(int32_t code)
{
    if (is_document_code(code)) {
        return MM_REJECTED;
    }
    return is_away_code(code) || is_passing_code(code) ? MM_RETRY : MM_RETRY_ONE;
}

bool mm_store_is_away(const bson_error_t *error)
{
    switch (error->domain) {
    case MONGOC_ERROR_STREAM:
    case MONGOC_ERROR_SERVER_SELECTION:
        return true;
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
        return is_away_code((int32_t)error->code);
    default:
        return false;
    }
}

bool mm_store_is_slow(const bson_error_t *error)
{
    return error->domain == MONGOC_ERROR_SERVER && error->code == 50; /* MaxTimeMSExpired */
}

apr_status_t mm_store_fail(mm_err_t *err, const bson_error_t *error, const char *doing)
{
    apr_status_t status = mm_store_is_away(error) ? MM_STORE_AWAY : APR_EGENERAL;

    return mm_err_set(err, status, "%s: %s", doing,
                      error->message[0] ? error->message : "the MongoDB driver gave no reason");
}
