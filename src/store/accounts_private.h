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

#endif
