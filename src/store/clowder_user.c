/* One user, with what gives rights; and many, with what lets others see them. */
#include "store/clowder.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "store/clowder_private.h"
#include "store/store_private.h"
#include "store/value.h"

/* Roles of one user; more are not heard. */
#define ROLES_MAX 100000
/* A bcrypt hash has 60 characters. */
#define PASSWORD_MAX 128

typedef struct named {
    const char *name;
    unsigned value;
} named_t;

static const named_t permissions[] = {{"ViewDataset", MM_CLOWDER_VIEW_DATASET},
                                      {"ViewCollection", MM_CLOWDER_VIEW_COLLECTION},
                                      {"ViewFile", MM_CLOWDER_VIEW_FILE},
                                      {"ViewSpace", MM_CLOWDER_VIEW_SPACE},
                                      {"ViewUser", MM_CLOWDER_VIEW_USER}};
static const named_t statuses[] = {
    {"Admin", MM_CLOWDER_ADMIN}, {"Active", MM_CLOWDER_ACTIVE}, {"ReadOnly", MM_CLOWDER_READ_ONLY}};

static unsigned named(const named_t *list, size_t n, const char *text, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(list[i].name) == len && memcmp(list[i].name, text, len) == 0) {
            return list[i].value;
        }
    }
    return 0;
}

/* --- roles ----------------------------------------------------------------------------------------------------------
 */

/* Of one element of spaceandrole, which is a document. */
static unsigned permissions_of(const bson_iter_t *entry)
{
    bson_iter_t inner, list, element;
    unsigned found = 0;
    uint32_t len;

    if (!bson_iter_recurse(entry, &inner) || !bson_iter_find_descendant(&inner, "role.permissions", &list) ||
        !BSON_ITER_HOLDS_ARRAY(&list) || !bson_iter_recurse(&list, &element)) {
        return 0;
    }
    while (bson_iter_next(&element)) {
        if (BSON_ITER_HOLDS_UTF8(&element)) {
            const char *text = bson_iter_utf8(&element, &len);
            found |= named(permissions, sizeof(permissions) / sizeof(permissions[0]), text, len);
        }
    }
    return found;
}

static bool begin_roles(const bson_t *doc, bson_iter_t *entry)
{
    bson_iter_t iter;

    return bson_iter_init_find(&iter, doc, "spaceandrole") && BSON_ITER_HOLDS_ARRAY(&iter) &&
           bson_iter_recurse(&iter, entry);
}

static bool next_role(bson_iter_t *entry)
{
    while (bson_iter_next(entry)) {
        if (BSON_ITER_HOLDS_DOCUMENT(entry)) {
            return true;
        }
    }
    return false;
}

static void read_roles(mm_clowder_user_t *user, const bson_t *doc, apr_pool_t *pool)
{
    apr_array_header_t *roles = apr_array_make(pool, 16, sizeof(mm_clowder_role_t));
    bson_iter_t entry, space;

    if (begin_roles(doc, &entry)) {
        while (roles->nelts < ROLES_MAX && next_role(&entry)) {
            if (bson_iter_recurse(&entry, &space) && bson_iter_find(&space, "spaceId") && BSON_ITER_HOLDS_OID(&space)) {
                mm_clowder_role_t *role = apr_array_push(roles);

                memcpy(role->space.bytes, bson_iter_oid(&space)->bytes, MM_OID_SIZE);
                role->permissions = permissions_of(&entry);
            }
        }
    }
    user->roles = (const mm_clowder_role_t *)roles->elts;
    user->n_roles = (size_t)roles->nelts;
}

/* --- one user -------------------------------------------------------------------------------------------------------
 */

static int64_t terms_of(const bson_t *doc)
{
    bson_iter_t iter, accepted, date;

    if (!bson_iter_init(&iter, doc) || !bson_iter_find_descendant(&iter, "termsOfServices.accepted", &accepted) ||
        !BSON_ITER_HOLDS_BOOL(&accepted) || !bson_iter_bool(&accepted)) {
        return MM_CLOWDER_NEVER;
    }
    if (!bson_iter_init(&iter, doc) || !bson_iter_find_descendant(&iter, "termsOfServices.acceptedDate", &date) ||
        !BSON_ITER_HOLDS_DATE_TIME(&date)) {
        return MM_CLOWDER_NEVER;
    }
    return bson_iter_date_time(&date);
}

bool mm_clowder_parse_user(mm_clowder_user_t *user, const bson_t *doc, apr_pool_t *pool)
{
    size_t len = 0;

    *user = (mm_clowder_user_t){.password = ""};
    if (!mm_clowder_oid_at(doc, "_id", &user->id)) {
        return false;
    }
    const char *text = mm_clowder_text_at(doc, "status", &len);
    user->status = text ? (mm_clowder_status_t)named(statuses, sizeof(statuses) / sizeof(statuses[0]), text, len) : 0;
    user->terms_ms = terms_of(doc);
    text = mm_clowder_text_at(doc, "passwordInfo.password", &len);
    if (text && len <= PASSWORD_MAX && !memchr(text, 0, len) && mm_clowder_is(doc, "passwordInfo.hasher", "bcrypt")) {
        user->password = apr_pstrmemdup(pool, text, len);
    }
    read_roles(user, doc, pool);
    return true;
}

typedef struct finding {
    mm_clowder_user_t *user;
    apr_pool_t *pool;
    size_t n; /* documents */
} finding_t;

static void on_user(void *baton, const bson_t *doc)
{
    finding_t *finding = baton;

    if (finding->n++ == 0) {
        mm_clowder_user_t *user = apr_palloc(finding->pool, sizeof(*user));

        finding->user = mm_clowder_parse_user(user, doc, finding->pool) ? user : NULL;
    }
}

static void append_email(bson_t *filter, const char *email, apr_pool_t *pool)
{
    bson_t condition, values;
    char *lower = apr_pstrdup(pool, email);

    for (char *c = lower; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    BSON_APPEND_DOCUMENT_BEGIN(filter, "email", &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &values);
    mm_value_append_text(&values, "0", email);
    mm_value_append_text(&values, "1", lower);
    bson_append_array_end(&condition, &values);
    bson_append_document_end(filter, &condition);
}

static void append_who(bson_t *filter, const mm_clowder_who_t *who, apr_pool_t *pool)
{
    if (who->id) {
        mm_clowder_append_in(filter, "_id", who->id, 1);
    }
    if (who->email) {
        append_email(filter, who->email, pool);
    }
    if (who->login) {
        mm_value_append_text(filter, "identityId.userId", who->login);
    }
    if (who->provider) {
        mm_value_append_text(filter, "identityId.providerId", who->provider);
    }
}

apr_status_t mm_clowder_find_user(mm_clowder_user_t **user, mm_store_t *store, const mm_clowder_who_t *who,
                                  apr_pool_t *pool, mm_err_t *err)
{
    static const char *const paths[] = {"_id", "status", "termsOfServices", "spaceandrole", "passwordInfo"};
    finding_t finding = {.pool = pool};
    bson_t filter = BSON_INITIALIZER;
    const mm_clowder_query_t query = {"social.users", &filter, paths, sizeof(paths) / sizeof(paths[0]), 2};

    *user = NULL;
    append_who(&filter, who, pool);
    apr_status_t rv = bson_empty(&filter) ? APR_SUCCESS : mm_clowder_query(store, &query, on_user, &finding, err);
    bson_destroy(&filter);
    if (rv == APR_SUCCESS && (finding.n == 1 || !who->alone)) {
        *user = finding.user;
    }
    return rv;
}

/* --- the terms of service -------------------------------------------------------------------------------------------
 */

static void on_setting(void *baton, const bson_t *doc)
{
    int64_t *ms = baton;
    bson_iter_t iter;

    if (bson_iter_init_find(&iter, doc, "value") && BSON_ITER_HOLDS_DATE_TIME(&iter)) {
        *ms = bson_iter_date_time(&iter);
    }
}

apr_status_t mm_clowder_terms(mm_store_t *store, int64_t *ms, mm_err_t *err)
{
    static const char *const paths[] = {"value"};
    bson_t filter = BSON_INITIALIZER;
    const mm_clowder_query_t query = {"app.configuration", &filter, paths, 1, 1};

    *ms = INT64_MAX;
    BSON_APPEND_UTF8(&filter, "key", "tos.date");
    apr_status_t rv = mm_clowder_query(store, &query, on_setting, ms, err);
    bson_destroy(&filter);
    return rv;
}

/* --- many people ----------------------------------------------------------------------------------------------------
 */

typedef struct crowd {
    mm_clowder_person_fn fn;
    void *baton;
} crowd_t;

static void on_person(void *baton, const bson_t *doc)
{
    const crowd_t *crowd = baton;
    unsigned all = 0;
    bson_iter_t entry;
    mm_oid_t id;

    if (!mm_clowder_oid_at(doc, "_id", &id)) {
        return;
    }
    if (begin_roles(doc, &entry)) {
        while (next_role(&entry)) {
            all |= permissions_of(&entry);
        }
    }
    crowd->fn(crowd->baton, &id, all);
}

apr_status_t mm_clowder_read_people(mm_store_t *store, const mm_oid_t *ids, size_t n, mm_clowder_person_fn fn,
                                    void *baton, mm_err_t *err)
{
    static const char *const paths[] = {"_id", "spaceandrole.role.permissions"};
    crowd_t crowd = {fn, baton};
    bson_t filter = BSON_INITIALIZER;
    const mm_clowder_query_t query = {"social.users", &filter, paths, 2, 0};

    mm_clowder_append_in(&filter, "_id", ids, n);
    apr_status_t rv = n ? mm_clowder_query(store, &query, on_person, &crowd, err) : APR_SUCCESS;
    bson_destroy(&filter);
    return rv;
}
