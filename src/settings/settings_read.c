/* Settings from JSON, by the tables of settings.c.
 *
 * What is read may come from anybody who can write into the spool, so sizes are limited and types looked at; the
 * patterns are compiled by src/rules, which has limits of its own. No state; any thread.
 */
#include "settings/settings_fields.h"

#include <stdbool.h>
#include <string.h>
#include <apr_strings.h>
#include <bson/bson.h>
#include "base/file.h"
#include "base/text.h"

/* NULL: it is no text, too long, or holds a zero byte. */
static const char *take_text(const bson_iter_t *iter, apr_pool_t *pool)
{
    bson_subtype_t subtype = BSON_SUBTYPE_BINARY;
    const char *data = NULL;
    uint32_t len = 0;

    if (BSON_ITER_HOLDS_UTF8(iter)) {
        data = bson_iter_utf8(iter, &len);
    }
    else if (BSON_ITER_HOLDS_BINARY(iter)) {
        const uint8_t *binary;

        bson_iter_binary(iter, &subtype, &len, &binary);
        data = (const char *)binary;
    }
    if (!data || subtype != BSON_SUBTYPE_BINARY || len > MM_SETTINGS_TEXT_MAX || memchr(data, '\0', len)) {
        return NULL;
    }
    return apr_pstrmemdup(pool, data, len);
}

static bool take_struct(void *base, const mm_settings_field_t *fields, bson_iter_t *iter, apr_pool_t *pool);

static bool take_element(apr_array_header_t *list, mm_settings_kind_t kind, const bson_iter_t *iter, apr_pool_t *pool)
{
    bson_iter_t inner;

    if (list->nelts >= MM_SETTINGS_LIST_MAX) {
        return false;
    }
    if (kind == MM_SETTINGS_TEXTS) {
        const char *text = take_text(iter, pool);

        APR_ARRAY_PUSH(list, const char *) = text;
        return text != NULL;
    }
    mm_settings_rule_t *rule = apr_array_push(list);
    memset(rule, 0, sizeof(*rule));
    mm_settings_make_lists(rule, mm_settings_rule_fields, pool);
    return BSON_ITER_HOLDS_DOCUMENT(iter) && bson_iter_recurse(iter, &inner) &&
           take_struct(rule, mm_settings_rule_fields, &inner, pool);
}

static bool take_list(apr_array_header_t *list, mm_settings_kind_t kind, const bson_iter_t *iter, apr_pool_t *pool)
{
    bson_iter_t inner;

    if (!BSON_ITER_HOLDS_ARRAY(iter) || !bson_iter_recurse(iter, &inner)) {
        return false;
    }
    apr_array_clear(list);
    while (bson_iter_next(&inner)) {
        if (!take_element(list, kind, &inner, pool)) {
            return false;
        }
    }
    return true;
}

static bool take_member(void *base, const mm_settings_field_t *field, const bson_iter_t *iter, apr_pool_t *pool)
{
    switch (field->kind) {
    case MM_SETTINGS_NUMBER:
    case MM_SETTINGS_COUNT:
        MM_SETTINGS_MEMBER(base, field, int64_t) = bson_iter_as_int64(iter);
        return BSON_ITER_HOLDS_INT(iter);
    case MM_SETTINGS_TEXT:
        MM_SETTINGS_MEMBER(base, field, const char *) = take_text(iter, pool);
        return MM_SETTINGS_MEMBER(base, field, const char *) != NULL;
    case MM_SETTINGS_TEXTS:
    case MM_SETTINGS_RULES:
        return take_list(MM_SETTINGS_MEMBER(base, field, apr_array_header_t *), field->kind, iter, pool);
    }
    return false;
}

static bool take_struct(void *base, const mm_settings_field_t *fields, bson_iter_t *iter, apr_pool_t *pool)
{
    while (bson_iter_next(iter)) {
        const mm_settings_field_t *field = fields;

        while (field->key && strcmp(field->key, bson_iter_key(iter)) != 0) {
            field++;
        }
        if (field->key && !take_member(base, field, iter, pool)) {
            return false;
        }
    }
    return true;
}

static apr_status_t check(const mm_settings_t *settings, mm_err_t *err)
{
    if (settings->version != MM_SETTINGS_VERSION) {
        return mm_err_set(err, APR_EINVAL, "it is of version %lld, and this program knows version %d",
                          (long long)settings->version, MM_SETTINGS_VERSION);
    }
    if (settings->double_click_ms < 0 || settings->double_click_ms > MM_POLICY_DOUBLE_CLICK_MAX_MS) {
        return mm_err_set(err, APR_EINVAL, "its double_click_ms is not from 0 to %d", MM_POLICY_DOUBLE_CLICK_MAX_MS);
    }
    for (int i = 0; i < settings->types->nelts; i++) {
        const char *type = APR_ARRAY_IDX(settings->types, i, const char *);

        if (!mm_text_is_type_name(type, strlen(type))) {
            return mm_err_set(err, APR_EINVAL, "one of its types has a name that no type can have");
        }
    }
    for (int i = 0; i < settings->rules->nelts; i++) {
        const mm_settings_rule_t *rule = &APR_ARRAY_IDX(settings->rules, i, mm_settings_rule_t);
        mm_action_t action;

        if (!rule->type || !rule->action || !rule->pattern || !mm_text_is_type_name(rule->type, strlen(rule->type)) ||
            !mm_action_parse(&action, rule->action, strlen(rule->action))) {
            return mm_err_set(err, APR_EINVAL, "its rule number %d lacks a type, an action or a pattern", i + 1);
        }
    }
    return APR_SUCCESS;
}

apr_status_t mm_settings_parse(mm_settings_t **settings, const char *text, size_t len, apr_pool_t *pool, mm_err_t *err)
{
    mm_settings_t *made = mm_settings_create(pool);
    bson_error_t why = {0};
    bson_iter_t iter;
    bson_t doc;
    bool taken;

    made->version = 0;
    if (len > MM_SETTINGS_MAX || !mm_text_is_utf8(text, len) || memchr(text, '\0', len)) {
        return mm_err_set(err, APR_EINVAL, "it is no JSON");
    }
    if (!bson_init_from_json(&doc, text, (ssize_t)len, &why)) {
        return mm_err_set(err, APR_EINVAL, "it is no JSON object");
    }
    taken = bson_iter_init(&iter, &doc) && take_struct(made, mm_settings_site_fields, &iter, pool);
    bson_destroy(&doc);
    if (!taken) {
        return mm_err_set(err, APR_EINVAL, "one of its settings has the wrong type, or is too long");
    }
    *settings = made;
    return check(made, err);
}

apr_status_t mm_settings_read(mm_settings_t **settings, const char *path, apr_pool_t *pool, mm_err_t *err)
{
    mm_err_t why;
    char *text;
    size_t len;
    apr_status_t rv = mm_file_slurp_plain(&text, &len, path, MM_SETTINGS_MAX, MM_FILE_NO_LINK, pool, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = mm_settings_parse(settings, text, len, pool, &why);
    return rv == APR_SUCCESS
               ? rv
               : mm_err_set(err, rv, "%s cannot be used: %s. httpd writes it anew when it starts", path, why.text);
}
