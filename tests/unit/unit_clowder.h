/* For the tests of what is read from Clowder's collections: documents as Clowder 1 writes them. */
#ifndef UNIT_CLOWDER_H
#define UNIT_CLOWDER_H

#include "unit_store.h"
#include "event/identity.h"

#define ADA      "5a0000000000000000000001"
#define BOB      "5a0000000000000000000002"
#define VISIT_MS INT64_C(1767268800000) /* 2026-01-01T12:00:00Z */
#define VISIT_US (VISIT_MS * 1000)
#define MINUTE   INT64_C(60000)

static inline void clowder_user(mm_store_t *store, const char *id, const char *login)
{
    unit_insert(store, "social.users",
                apr_psprintf(store->pool,
                             "{'_typeHint':'models.ClowderUser','_id':{'$oid':'%s'},"
                             "'identityId':{'userId':'%s','providerId':'userpass'},'fullName':'x','status':'Active',"
                             "'passwordInfo':{'hasher':'bcrypt','password':'$2a$10$x'}}",
                             id, login));
}

static inline void clowder_session(mm_store_t *store, const char *cookie, const char *login, int64_t used_ms,
                                   int64_t expires_ms)
{
    unit_insert(store, "social.authenticator",
                apr_psprintf(store->pool,
                             "{'_typeHint':'services.mongodb.LocalAuthenticator','authenticatorId':'%s',"
                             "'identityId':{'_typeHint':'securesocial.core.IdentityId','userId':'%s',"
                             "'providerId':'userpass'},'creationDate':{'$date':{'$numberLong':'0'}},"
                             "'lastUsed':{'$date':{'$numberLong':'%" APR_INT64_T_FMT "'}},"
                             "'expirationDate':{'$date':{'$numberLong':'%" APR_INT64_T_FMT "'}}}",
                             cookie, login, used_ms, expires_ms));
}

static inline void clowder_key(mm_store_t *store, const char *key, const char *name, const char *login)
{
    unit_insert(store, "users.apikey",
                apr_psprintf(store->pool,
                             "{'_typeHint':'models.UserApiKey','name':'%s','key':'%s','identityId':{'_typeHint':"
                             "'securesocial.core.IdentityId','userId':'%s','providerId':'userpass'}}",
                             name, key, login));
}

static inline mm_credential_t credential_of(mm_credential_kind_t kind, const char *secret)
{
    mm_credential_t credential = {.kind = kind};

    assert_true(mm_sha256_hex(credential.hash, secret, strlen(secret)));
    return credential;
}

/* A visit at VISIT_US with one credential, NULL for none; its id is a. */
static inline mm_event_t visit_with(mm_credential_kind_t kind, const char *secret, apr_pool_t *pool)
{
    mm_event_t event = {.action = MM_ACTION_VIEW,
                        .source = MM_SOURCE_REQUEST,
                        .method = MM_METHOD_GET,
                        .status = 200,
                        .time_us = VISIT_US,
                        .range_start = MM_RANGE_NONE,
                        .type = mm_bytes_of("files"),
                        .id = mm_bytes_of("a")};

    if (secret) {
        mm_credential_t credential = {.kind = kind};
        char *text = apr_palloc(pool, MM_EVENT_IDENTITY_MAX);

        if (kind != MM_CREDENTIAL_MASTER) {
            credential = credential_of(kind, secret);
        }
        event.identity = (mm_bytes_t){text, mm_identity_write(text, &credential, 1)};
    }
    return event;
}

#endif
