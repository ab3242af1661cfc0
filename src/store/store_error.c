/* What the database's refusals mean: come back later, or never.
 *
 * Two levels. A failure of a whole command (or of the connection) says nothing about single writes, so all of them are
 * tried again, whatever the code: trying again is safe, the fence in each document sees to that. A failure of a single
 * write is believed: codes that speak of the server's state mean "again", all others that this document cannot take
 * this update, today or tomorrow. An unknown code there is taken for the latter, since otherwise one odd document would
 * hold up all counts behind it for ever; the caller logs what is rejected.
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
    case 1:     /* InternalError: the server does not know either, so it is not about this document */
    case 8:     /* UnknownError: the same */
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

mm_outcome_t mm_store_outcome_of_code(int32_t code)
{
    return is_away_code(code) || is_passing_code(code) ? MM_RETRY : MM_REJECTED;
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

apr_status_t mm_store_fail(mm_err_t *err, const bson_error_t *error, const char *doing)
{
    apr_status_t status = mm_store_is_away(error) ? MM_STORE_AWAY : APR_EGENERAL;

    return mm_err_set(err, status, "%s: %s", doing,
                      error->message[0] ? error->message : "the MongoDB driver gave no reason");
}
