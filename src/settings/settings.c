/* Tables say which member of which struct is which member of the JSON; everything else goes by them, both ways.
 *
 * libbson reads and writes the JSON. Text that is no UTF-8 (a pattern may hold any bytes) is written as its extended
 * JSON for binary. What is read may come from anybody who can write into the spool, so sizes are limited and types
 * looked at; the patterns are compiled by src/rules, which has limits of its own. No state; any thread.
 */
#include "settings/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include <bson/bson.h>
#include "base/file.h"
#include "base/text.h"

typedef enum kind {
    KIND_NUMBER, /* int64_t; 0 is left out */
    KIND_COUNT,  /* the same, but 0 is written */
    KIND_TEXT,   /* const char *; NULL is left out */
    KIND_TEXTS,  /* apr_array_header_t * of const char * */
    KIND_RULES   /* apr_array_header_t * of mm_settings_rule_t */
} kind_t;

typedef struct field {
    const char *key;
    kind_t kind;
    size_t at;
} field_t;

static const field_t site_fields[] = {
    {"version", KIND_NUMBER, offsetof(mm_settings_t, version)},
    {"recording_since_ms", KIND_NUMBER, offsetof(mm_settings_t, recording_since_ms)},
    {"double_click_ms", KIND_COUNT, offsetof(mm_settings_t, double_click_ms)},
    {"robots", KIND_TEXTS, offsetof(mm_settings_t, robots)},
    {"machines", KIND_TEXTS, offsetof(mm_settings_t, machines)},
    {"allow_agents", KIND_TEXTS, offsetof(mm_settings_t, allow_agents)},
    {"mongo_uri_file", KIND_TEXT, offsetof(mm_settings_t, mongo_uri_file)},
    {"catalog_uri_file", KIND_TEXT, offsetof(mm_settings_t, catalog_uri_file)},
    {"anonymous_users", KIND_TEXTS, offsetof(mm_settings_t, nobodies)},
    {"prefix", KIND_TEXT, offsetof(mm_settings_t, prefix)},
    {"types", KIND_TEXTS, offsetof(mm_settings_t, types)},
    {"rules", KIND_RULES, offsetof(mm_settings_t, rules)},
    {NULL, 0, 0},
};

static const field_t rule_fields[] = {
    {"type", KIND_TEXT, offsetof(mm_settings_rule_t, type)},
    {"action", KIND_TEXT, offsetof(mm_settings_rule_t, action)},
    {"pattern", KIND_TEXT, offsetof(mm_settings_rule_t, pattern)},
    {"query", KIND_TEXT, offsetof(mm_settings_rule_t, query)},
    {"via", KIND_TEXT, offsetof(mm_settings_rule_t, via)},
    {"case", KIND_TEXT, offsetof(mm_settings_rule_t, letter_case)},
    {NULL, 0, 0},
};

#define MEMBER(base, field, type) (*(type *)((char *)(base) + (field)->at))

/* Every list of the struct, so that nobody meets a NULL. */
static void make_lists(void *base, const field_t *fields, apr_pool_t *pool)
{
    for (const field_t *field = fields; field->key; field++) {
        if (field->kind == KIND_TEXTS) {
            MEMBER(base, field, apr_array_header_t *) = apr_array_make(pool, 4, sizeof(const char *));
        }
        else if (field->kind == KIND_RULES) {
            MEMBER(base, field, apr_array_header_t *) = apr_array_make(pool, 8, sizeof(mm_settings_rule_t));
        }
    }
}

mm_settings_t *mm_settings_create(apr_pool_t *pool)
{
    mm_settings_t *settings = apr_pcalloc(pool, sizeof(*settings));

    make_lists(settings, site_fields, pool);
    settings->version = MM_SETTINGS_VERSION;
    settings->double_click_ms = MM_POLICY_DOUBLE_CLICK_MS;
    return settings;
}

/* --- writing --- */

static void append_text(bson_t *doc, const char *key, const char *text)
{
    size_t len = strlen(text);

    if (mm_text_is_utf8(text, len)) {
        bson_append_utf8(doc, key, -1, text, (int)len);
    }
    else {
        bson_append_binary(doc, key, -1, BSON_SUBTYPE_BINARY, (const uint8_t *)text, (uint32_t)len);
    }
}

static void append_struct(bson_t *doc, const void *base, const field_t *fields);

static void append_list(bson_t *doc, const field_t *field, const apr_array_header_t *list)
{
    bson_t array, element;
    const char *key;
    char buf[16];

    BSON_APPEND_ARRAY_BEGIN(doc, field->key, &array);
    for (int i = 0; list && i < list->nelts; i++) {
        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        if (field->kind == KIND_TEXTS) {
            append_text(&array, key, APR_ARRAY_IDX(list, i, const char *));
            continue;
        }
        BSON_APPEND_DOCUMENT_BEGIN(&array, key, &element);
        append_struct(&element, &APR_ARRAY_IDX(list, i, mm_settings_rule_t), rule_fields);
        bson_append_document_end(&array, &element);
    }
    bson_append_array_end(doc, &array);
}

static void append_struct(bson_t *doc, const void *base, const field_t *fields)
{
    for (const field_t *field = fields; field->key; field++) {
        switch (field->kind) {
        case KIND_NUMBER:
        case KIND_COUNT:
            if (MEMBER(base, field, const int64_t) != 0 || field->kind == KIND_COUNT) {
                BSON_APPEND_INT64(doc, field->key, MEMBER(base, field, const int64_t));
            }
            break;
        case KIND_TEXT:
            if (MEMBER(base, field, const char *const)) {
                append_text(doc, field->key, MEMBER(base, field, const char *const));
            }
            break;
        case KIND_TEXTS:
        case KIND_RULES:
            append_list(doc, field, MEMBER(base, field, apr_array_header_t *const));
            break;
        }
    }
}

/* The JSON of one member, without the braces around it. */
static const char *print_member(const bson_t *doc, apr_pool_t *pool)
{
    size_t len;
    char *json = bson_as_relaxed_extended_json(doc, &len);
    const char *member = json && len > 4 ? apr_pstrmemdup(pool, json + 2, len - 4) : NULL; /* "{ " … " }" */

    bson_free(json);
    return member;
}

const char *mm_settings_print(const mm_settings_t *settings, apr_pool_t *pool)
{
    const char *text = "{";

    for (const field_t *field = site_fields; field->key; field++) {
        const field_t one[] = {*field, {NULL, 0, 0}};
        bson_t doc = BSON_INITIALIZER;
        const char *member = "";

        append_struct(&doc, settings, one);
        if (!bson_empty(&doc)) {
            member = print_member(&doc, pool);
            text = member ? apr_pstrcat(pool, text, text[1] ? ",\n  " : "\n  ", member, NULL) : NULL;
        }
        bson_destroy(&doc);
        if (!text) {
            return NULL;
        }
    }
    return apr_pstrcat(pool, text, "\n}\n", NULL);
}

/* The temporary name must be ours alone: in a directory that belongs to somebody else, root follows no link and writes
 * into no file that was there. */
static apr_status_t write_beside(int at, const char *temp, const struct stat *dir, const char *text, mm_err_t *err)
{
    int fd = openat(at, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    apr_status_t rv;

    if (fd < 0) {
        return mm_err_set_os(err, errno, "%s cannot be made", temp);
    }
    if ((geteuid() == 0 && fchown(fd, dir->st_uid, dir->st_gid) != 0) || fchmod(fd, 0640) != 0) {
        rv = mm_err_set_os(err, errno, "%s cannot be given to the owner of the spool", temp);
    }
    else {
        rv = mm_file_write_all(fd, text, strlen(text), NULL);
        rv = rv == APR_SUCCESS ? mm_file_commit(at, fd, temp, MM_SETTINGS_FILE, err)
                               : mm_err_set_os(err, rv, "%s cannot be written", temp);
    }
    close(fd);
    if (rv != APR_SUCCESS) {
        unlinkat(at, temp, 0);
    }
    return rv;
}

apr_status_t mm_settings_write(const mm_settings_t *settings, const char *dir, apr_pool_t *pool, mm_err_t *err)
{
    const char *text = mm_settings_print(settings, pool);
    const char *temp = apr_psprintf(pool, MM_SETTINGS_FILE ".%ld.tmp", (long)getpid());
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat info;
    apr_status_t rv;

    if (at < 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", dir);
    }
    if (!text) {
        rv = mm_err_set(err, APR_EINVAL, "the settings cannot be written as JSON");
    }
    else if (fstat(at, &info) != 0) {
        rv = mm_err_set_os(err, errno, "the spool directory %s cannot be examined", dir);
    }
    else {
        unlinkat(at, temp, 0);
        rv = write_beside(at, temp, &info, text, err);
    }
    close(at);
    return rv;
}

/* --- reading --- */

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

static bool take_struct(void *base, const field_t *fields, bson_iter_t *iter, apr_pool_t *pool);

static bool take_element(apr_array_header_t *list, kind_t kind, const bson_iter_t *iter, apr_pool_t *pool)
{
    bson_iter_t inner;

    if (list->nelts >= MM_SETTINGS_LIST_MAX) {
        return false;
    }
    if (kind == KIND_TEXTS) {
        const char *text = take_text(iter, pool);

        APR_ARRAY_PUSH(list, const char *) = text;
        return text != NULL;
    }
    mm_settings_rule_t *rule = apr_array_push(list);
    memset(rule, 0, sizeof(*rule));
    make_lists(rule, rule_fields, pool);
    return BSON_ITER_HOLDS_DOCUMENT(iter) && bson_iter_recurse(iter, &inner) &&
           take_struct(rule, rule_fields, &inner, pool);
}

static bool take_list(apr_array_header_t *list, kind_t kind, const bson_iter_t *iter, apr_pool_t *pool)
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

static bool take_member(void *base, const field_t *field, const bson_iter_t *iter, apr_pool_t *pool)
{
    switch (field->kind) {
    case KIND_NUMBER:
    case KIND_COUNT:
        MEMBER(base, field, int64_t) = bson_iter_as_int64(iter);
        return BSON_ITER_HOLDS_INT(iter);
    case KIND_TEXT:
        MEMBER(base, field, const char *) = take_text(iter, pool);
        return MEMBER(base, field, const char *) != NULL;
    case KIND_TEXTS:
    case KIND_RULES:
        return take_list(MEMBER(base, field, apr_array_header_t *), field->kind, iter, pool);
    }
    return false;
}

static bool take_struct(void *base, const field_t *fields, bson_iter_t *iter, apr_pool_t *pool)
{
    while (bson_iter_next(iter)) {
        const field_t *field = fields;

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
    taken = bson_iter_init(&iter, &doc) && take_struct(made, site_fields, &iter, pool);
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

apr_status_t mm_settings_policy(mm_policy_t *policy, const mm_settings_t *settings, const mm_log_t *log,
                                apr_pool_t *pool, mm_err_t *err)
{
    const mm_agents_sources_t sources = {settings->robots, settings->machines, settings->allow_agents};

    *policy = (mm_policy_t){.double_click_ms = settings->double_click_ms,
                            .nobodies = (const char *const *)settings->nobodies->elts,
                            .n_nobodies = (size_t)settings->nobodies->nelts};
    return mm_agents_load(&policy->agents, &sources, log, pool, err);
}

apr_status_t mm_settings_rules(mm_rules_t **rules, const mm_settings_t *settings, apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    *rules = mm_rules_create(pool);
    if (!*rules) {
        return mm_err_set(err, APR_ENOMEM, "no memory for the rules");
    }
    for (int i = 0; rv == APR_SUCCESS && i < settings->rules->nelts; i++) {
        const mm_settings_rule_t *rule = &APR_ARRAY_IDX(settings->rules, i, mm_settings_rule_t);
        mm_rule_spec_t spec = {.type = rule->type,
                               .pattern = rule->pattern,
                               .query = rule->query,
                               .via = rule->via,
                               .lower = rule->letter_case && strcmp(rule->letter_case, "lower") == 0};

        mm_action_parse(&spec.action, rule->action, strlen(rule->action));
        rv = mm_rules_add_spec(*rules, &spec, err);
    }
    return rv;
}
