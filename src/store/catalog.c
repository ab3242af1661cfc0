/* MetricsCatalog: the words of the administrator become an mm_catalog_t, or a sentence that says which word is wrong.
 * No database. A path that this accepts is safe as a field name in a query: no operator, no empty name, bounded depth.
 */
#include "store/catalog.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "base/text.h"
#include "store/catalog_private.h"

/* A namespace in MongoDB has at most 255 bytes, of which the database takes up to 64. */
#define COLLECTION_MAX 120

typedef struct field {
    const char *name;
    size_t offset;
} field_t;

static const field_t fields[] = {
    {"id", offsetof(mm_catalog_t, id_path)},
    {"name", offsetof(mm_catalog_t, name_path)},
    {"owner", offsetof(mm_catalog_t, owner_path)},
    {"created", offsetof(mm_catalog_t, created_path)},
    {"size", offsetof(mm_catalog_t, size_path)},
    {"status", offsetof(mm_catalog_t, status_path)},
    {"location", offsetof(mm_catalog_t, location_path)},
};
#define KNOWN_FIELDS "id, name, owner, created, size, status, location and parents"

static bool is_plain(char c)
{
    return !apr_iscntrl(c) && !apr_isspace(c) && c != '"' && c != '\'' && c != '\\';
}

/* Names joined by single dots, none of which begins with '$'. */
static bool is_dotted(const char *text, size_t max, size_t depth_max)
{
    size_t i, depth = 1, len = strlen(text);
    bool at_start = true;

    if (len == 0 || len > max || !mm_text_is_utf8(text, len)) {
        return false;
    }
    for (i = 0; i < len; i++) {
        if (!is_plain(text[i]) || (at_start && (text[i] == '.' || text[i] == '$'))) {
            return false;
        }
        at_start = text[i] == '.';
        depth += at_start;
    }
    return !at_start && depth <= depth_max;
}

apr_status_t mm_catalog_check_path(const char *path, const char *word, mm_err_t *err)
{
    if (is_dotted(path, MM_CATALOG_PATH_MAX, MM_CATALOG_PATH_DEPTH)) {
        return APR_SUCCESS;
    }
    return mm_err_set(err, APR_EINVAL,
                      "\"%.80s\": a path is at most %d field names joined by dots, such as author._id, without quotes "
                      "and without a leading $",
                      word, MM_CATALOG_PATH_DEPTH);
}

apr_status_t mm_catalog_check_collection(const char *name, mm_err_t *err)
{
    if (is_dotted(name, COLLECTION_MAX, COLLECTION_MAX) && !strchr(name, '$') && !strchr(name, '=') &&
        strncmp(name, "system.", strlen("system.")) != 0) {
        return APR_SUCCESS;
    }
    return mm_err_set(err, APR_EINVAL, "\"%.80s\" cannot be the name of a collection", name);
}

/* Cuts text at the next ':' and returns what stands before it; *text is NULL behind the last piece. */
static char *next_piece(char **text)
{
    char *piece = *text;
    char *colon = strchr(piece, ':');

    if (colon) {
        *colon = 0;
    }
    *text = colon ? colon + 1 : NULL;
    return piece;
}

/* TYPE:PATH, TYPE:COLLECTION:PATH or TYPE:COLLECTION:PATH:PARENT_PATH */
static apr_status_t add_parents(mm_catalog_t *catalog, const char *value, const char *word, apr_pool_t *pool,
                                mm_err_t *err)
{
    char *pieces[4] = {NULL}, *rest = apr_pstrdup(pool, value);
    mm_parent_rule_t rule = {0};
    size_t n = 0;
    apr_status_t status;

    while (rest && n < 4) {
        pieces[n++] = next_piece(&rest);
    }
    if (rest || n < 2) {
        return mm_err_set(err, APR_EINVAL,
                          "\"%.80s\" should be parents=TYPE:PATH or parents=TYPE:COLLECTION:PATH[:PARENT_PATH]", word);
    }
    if (catalog->parents->nelts == MM_CATALOG_RULES_MAX) {
        return mm_err_set(err, APR_EINVAL, "\"%.80s\": there are %d parents= already, the most that can be", word,
                          MM_CATALOG_RULES_MAX);
    }
    if (!mm_text_is_type_name(pieces[0], strlen(pieces[0]))) {
        return mm_err_set(err, APR_EINVAL, "\"%.80s\": \"%.40s\" cannot name a type of resources", word, pieces[0]);
    }
    rule.type = pieces[0];
    rule.collection = n > 2 ? pieces[1] : NULL;
    rule.path = n > 2 ? pieces[2] : pieces[1];
    rule.parent_path = n > 2 ? (n > 3 ? pieces[3] : "_id") : NULL;
    status = rule.collection ? mm_catalog_check_collection(rule.collection, err) : APR_SUCCESS;
    if (status == APR_SUCCESS) {
        status = mm_catalog_check_path(rule.path, word, err);
    }
    if (status == APR_SUCCESS && rule.parent_path) {
        status = mm_catalog_check_path(rule.parent_path, word, err);
    }
    if (status == APR_SUCCESS) {
        APR_ARRAY_PUSH(catalog->parents, mm_parent_rule_t) = rule;
    }
    return status;
}

static apr_status_t set_field(mm_catalog_t *catalog, const field_t *field, const char *value, const char *word,
                              mm_err_t *err)
{
    const char **path = (const char **)((char *)catalog + field->offset);

    if (*path) {
        return mm_err_set(err, APR_EINVAL, "\"%.80s\": %s= stands there twice", word, field->name);
    }
    *path = value;
    return mm_catalog_check_path(value, word, err);
}

static apr_status_t add_word(mm_catalog_t *catalog, const char *word, apr_pool_t *pool, mm_err_t *err)
{
    const char *equals = strchr(word, '=');
    size_t i, len = equals ? (size_t)(equals - word) : 0;

    for (i = 0; len && i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strlen(fields[i].name) == len && memcmp(fields[i].name, word, len) == 0) {
            return set_field(catalog, &fields[i], equals + 1, word, err);
        }
    }
    if (len == strlen("parents") && memcmp(word, "parents", len) == 0) {
        return add_parents(catalog, equals + 1, word, pool, err);
    }
    return mm_err_set(err, APR_EINVAL, "\"%.80s\" is not one of field=path; the fields are " KNOWN_FIELDS, word);
}

apr_status_t mm_catalog_parse(mm_catalog_t **catalog, const char *type, const char *words, apr_pool_t *pool,
                              mm_err_t *err)
{
    mm_catalog_t *parsed = apr_pcalloc(pool, sizeof(*parsed));
    char *state = NULL, *word;
    apr_status_t status;

    if (!mm_text_is_type_name(type, strlen(type))) {
        return mm_err_set(err, APR_EINVAL, "\"%.80s\" cannot name a type of resources", type);
    }
    word = apr_strtok(apr_pstrdup(pool, words), " \t\r\n", &state);
    if (!word) {
        return mm_err_set(err, APR_EINVAL,
                          "MetricsCatalog needs a collection and then field=path …; the fields are " KNOWN_FIELDS);
    }
    status = mm_catalog_check_collection(word, err);
    parsed->type = apr_pstrdup(pool, type);
    parsed->collection = word;
    parsed->parents = apr_array_make(pool, 2, sizeof(mm_parent_rule_t));
    while (status == APR_SUCCESS && (word = apr_strtok(NULL, " \t\r\n", &state))) {
        status = add_word(parsed, word, pool, err);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (!parsed->id_path) {
        parsed->id_path = "_id";
    }
    *catalog = parsed;
    return APR_SUCCESS;
}
