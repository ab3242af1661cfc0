/* Clowder 1's own documents, as far as they say who may see what. Only read.
 *
 *   datasets         author._id, spaces, status, trash, files
 *   collections      author._id, spaces, trash
 *   uploads          author._id: the files
 *   folders          files, parentDatasetId
 *   spaces.projects  creator, status
 *   social.users     status, termsOfServices, spaceandrole, email, identityId, passwordInfo
 *   app.configuration  tos.date
 *
 * Ids of Clowder's are ObjectIds and nothing else: a value of another type is nobody's and nothing's. What is missing
 * or of another type counts as what gives least.
 */
#ifndef MM_STORE_CLOWDER_H
#define MM_STORE_CLOWDER_H

#include <stdbool.h>
#include "store/store.h"

#define MM_OID_SIZE 12

typedef struct mm_oid {
    unsigned char bytes[MM_OID_SIZE];
} mm_oid_t;

/* 24 hexadecimal digits, in either case. */
bool mm_oid_parse(mm_oid_t *oid, const char *text);
/* As memcmp. */
int mm_oid_compare(const void *left, const void *right);

/* --- resources ------------------------------------------------------------------------------------------------------
 */

typedef enum mm_clowder_kind {
    MM_CLOWDER_DATASETS,
    MM_CLOWDER_COLLECTIONS,
    MM_CLOWDER_FILES,
    MM_CLOWDER_SPACES
} mm_clowder_kind_t;

/* One document; spaces are gone when the call returns. */
typedef struct mm_clowder_doc {
    mm_oid_t id;
    mm_oid_t author; /* a space's: its creator */
    bool has_author;
    bool trashed, is_public, is_default;
    const mm_oid_t *spaces;
    size_t n_spaces;
} mm_clowder_doc_t;

typedef void (*mm_clowder_doc_fn)(void *baton, const mm_clowder_doc_t *doc);

/* Calls fn for each document with one of these ids, in no order. */
apr_status_t mm_clowder_read(mm_store_t *store, mm_clowder_kind_t kind, const mm_oid_t *ids, size_t n,
                             mm_clowder_doc_fn fn, void *baton, mm_err_t *err);

/* Calls fn for each file and each dataset that it is directly in; file is its place among files, which must be in
 * order. */
typedef void (*mm_clowder_holder_fn)(void *baton, size_t file, const mm_clowder_doc_t *dataset);
apr_status_t mm_clowder_holders(mm_store_t *store, const mm_oid_t *files, size_t n, mm_clowder_holder_fn fn,
                                void *baton, mm_err_t *err);
/* The same for folders: of the document there is only the id of the folder's dataset, which need not exist. */
apr_status_t mm_clowder_folders(mm_store_t *store, const mm_oid_t *files, size_t n, mm_clowder_holder_fn fn,
                                void *baton, mm_err_t *err);

/* Whether a dataset with status PUBLIC is in this space. */
apr_status_t mm_clowder_has_public_dataset(mm_store_t *store, const mm_oid_t *space, bool *has, mm_err_t *err);

/* --- whole collections (clowder_scan.c) ------------------------------------------------------------------------------
 */

typedef enum mm_clowder_part {
    MM_CLOWDER_PUBLIC_SPACES,
    MM_CLOWDER_ALL_DATASETS,
    MM_CLOWDER_ALL_FOLDERS, /* of these there is only the id of the folder's dataset, which need not exist */
    MM_CLOWDER_FILES_OF     /* an author */
} mm_clowder_part_t;

typedef struct mm_clowder_scan mm_clowder_scan_t;

/* author is of MM_CLOWDER_FILES_OF. The scan ends with pool. */
mm_clowder_scan_t *mm_clowder_scan_make(mm_store_t *store, mm_clowder_part_t part, const mm_oid_t *author,
                                        apr_pool_t *pool);
/* The next document, in no order; false behind the last one, and where the database failed. Other questions may be
 * asked in between. */
bool mm_clowder_scan_next(mm_clowder_scan_t *scan, mm_clowder_doc_t *doc);
bool mm_clowder_scan_has_failed(const mm_clowder_scan_t *scan);
/* Calls fn for each file that this document lists, until it returns false, which is the answer then. */
typedef bool (*mm_clowder_file_fn)(void *baton, const mm_oid_t *file);
bool mm_clowder_scan_files(const mm_clowder_scan_t *scan, mm_clowder_file_fn fn, void *baton);

/* --- people ---------------------------------------------------------------------------------------------------------
 */

typedef enum mm_clowder_status {
    MM_CLOWDER_INACTIVE, /* also where none is given */
    MM_CLOWDER_ACTIVE,
    MM_CLOWDER_READ_ONLY,
    MM_CLOWDER_ADMIN
} mm_clowder_status_t;

/* Permissions of a role that matter here. */
enum {
    MM_CLOWDER_VIEW_DATASET = 1 << 0,
    MM_CLOWDER_VIEW_COLLECTION = 1 << 1,
    MM_CLOWDER_VIEW_FILE = 1 << 2,
    MM_CLOWDER_VIEW_SPACE = 1 << 3,
    MM_CLOWDER_VIEW_USER = 1 << 4
};

typedef struct mm_clowder_role {
    mm_oid_t space;
    unsigned permissions;
} mm_clowder_role_t;

#define MM_CLOWDER_NEVER INT64_MIN

typedef struct mm_clowder_user {
    mm_oid_t id;
    mm_clowder_status_t status;
    int64_t terms_ms;     /* when the terms of service were accepted; MM_CLOWDER_NEVER */
    const char *password; /* its bcrypt hash, "" where there is none */
    const mm_clowder_role_t *roles;
    size_t n_roles; /* of several roles in one space, the first counts */
} mm_clowder_user_t;

/* Whom to look for: what is not NULL must be so. */
typedef struct mm_clowder_who {
    const mm_oid_t *id;
    const char *email;            /* as it is, or in lower case */
    const char *login, *provider; /* identityId */
    bool alone;                   /* nobody, where there are several */
} mm_clowder_who_t;

/* *user is NULL where there is nobody; otherwise it is pool's. */
apr_status_t mm_clowder_find_user(mm_clowder_user_t **user, mm_store_t *store, const mm_clowder_who_t *who,
                                  apr_pool_t *pool, mm_err_t *err);

/* Since when the terms of service are in force. Where Clowder does not know, nobody has accepted them: INT64_MAX. */
apr_status_t mm_clowder_terms(mm_store_t *store, int64_t *ms, mm_err_t *err);

/* Calls fn for each of these people who exists; permissions are those of all roles in all spaces. */
typedef void (*mm_clowder_person_fn)(void *baton, const mm_oid_t *id, unsigned permissions);
apr_status_t mm_clowder_read_people(mm_store_t *store, const mm_oid_t *ids, size_t n, mm_clowder_person_fn fn,
                                    void *baton, mm_err_t *err);

#endif
