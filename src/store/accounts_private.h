/* What accounts.c shows to its tests. Not for other rooms. */
#ifndef MM_ACCOUNTS_PRIVATE_H
#define MM_ACCOUNTS_PRIVATE_H

#include "store/accounts.h"
#include "store/value.h"

/* Where the texts of one document are put together. */
typedef struct mm_account_text {
    char login[MM_ACCOUNTS_TEXT_MAX + 1], provider[MM_ACCOUNTS_TEXT_MAX + 1], secret[MM_ACCOUNTS_TEXT_MAX + 1];
    char user[MM_VALUE_ID_SIZE];
} mm_account_text_t;

/* Reads one document, whatever it holds. False: it is no account of this kind. Pure. */
bool mm_account_parse(mm_account_t *account, mm_account_text_t *text, mm_accounts_kind_t kind, const bson_t *doc);

/* mm_accounts_read is this with MM_ACCOUNTS_MAX and MM_ACCOUNTS_TIME_US. */
typedef struct mm_accounts_limits {
    int64_t documents, time_us;
} mm_accounts_limits_t;

apr_status_t mm_accounts_read_within(const mm_accounts_limits_t *limits, mm_store_t *store, mm_accounts_kind_t kind,
                                     int64_t from_ms, mm_accounts_fn on_account, void *baton,
                                     mm_accounts_tally_t *tally, mm_err_t *err);

#endif
