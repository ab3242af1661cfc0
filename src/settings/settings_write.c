/* Settings as JSON, by the tables of settings.c.
 *
 * libbson writes the JSON. Text that is no UTF-8 (a pattern may hold any bytes) is written as its extended JSON for
 * binary. No state; any thread.
 */
#include "settings/settings_fields.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include <bson/bson.h>
#include "base/file.h"
#include "base/text.h"

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

static void append_struct(bson_t *doc, const void *base, const mm_settings_field_t *fields);

static void append_list(bson_t *doc, const mm_settings_field_t *field, const apr_array_header_t *list)
{
    bson_t array, element;
    const char *key;
    char buf[16];

    BSON_APPEND_ARRAY_BEGIN(doc, field->key, &array);
    for (int i = 0; list && i < list->nelts; i++) {
        bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
        if (field->kind == MM_SETTINGS_TEXTS) {
            append_text(&array, key, APR_ARRAY_IDX(list, i, const char *));
            continue;
        }
        BSON_APPEND_DOCUMENT_BEGIN(&array, key, &element);
        append_struct(&element, &APR_ARRAY_IDX(list, i, mm_settings_rule_t), mm_settings_rule_fields);
        bson_append_document_end(&array, &element);
    }
    bson_append_array_end(doc, &array);
}

static void append_struct(bson_t *doc, const void *base, const mm_settings_field_t *fields)
{
    for (const mm_settings_field_t *field = fields; field->key; field++) {
        switch (field->kind) {
        case MM_SETTINGS_NUMBER:
        case MM_SETTINGS_COUNT:
            if (MM_SETTINGS_MEMBER(base, field, const int64_t) != 0 || field->kind == MM_SETTINGS_COUNT) {
                BSON_APPEND_INT64(doc, field->key, MM_SETTINGS_MEMBER(base, field, const int64_t));
            }
            break;
        case MM_SETTINGS_TEXT:
            if (MM_SETTINGS_MEMBER(base, field, const char *const)) {
                append_text(doc, field->key, MM_SETTINGS_MEMBER(base, field, const char *const));
            }
            break;
        case MM_SETTINGS_TEXTS:
        case MM_SETTINGS_RULES:
            append_list(doc, field, MM_SETTINGS_MEMBER(base, field, apr_array_header_t *const));
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

    for (const mm_settings_field_t *field = mm_settings_site_fields; field->key; field++) {
        const mm_settings_field_t one[] = {*field, {NULL, 0, 0}};
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
