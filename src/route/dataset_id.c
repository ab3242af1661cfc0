/* A doi: before a DOI is no part of it, so a report leaves it out, however it is written. Several ids may therefore
 * have one value; who asks for the value means all of them.
 */
#include "route/dataset_id.h"

#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define PREFIX     "doi:"
#define LETTERS    3
#define PREFIX_LEN (LETTERS + 1)
#define SPELLINGS  (1 << LETTERS) /* of the prefix */

static const char *const kind_names[] = {
    [MM_DATASET_DOI] = "doi", [MM_DATASET_OTHER] = "proprietary", [MM_DATASET_URI] = "uri"};
#define KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

const char *mm_dataset_id_kind_name(mm_dataset_id_kind_t kind)
{
    return kind_names[kind];
}

/* 10.5072/FK2, with or without a doi: before it. */
static const char *doi_of(const char *id)
{
    const char *doi = strncasecmp(id, PREFIX, PREFIX_LEN) == 0 ? id + PREFIX_LEN : id;
    size_t registrant = strncmp(doi, "10.", 3) == 0 ? strspn(doi + 3, "0123456789.") : 0;

    return registrant > 0 && doi[3 + registrant] == '/' && doi[4 + registrant] ? doi : NULL;
}

const char *mm_dataset_id_value(const char *id, mm_dataset_id_kind_t *kind)
{
    const char *doi = doi_of(id);
    int is_uri = strncasecmp(id, "http://", 7) == 0 || strncasecmp(id, "https://", 8) == 0;

    *kind = doi ? MM_DATASET_DOI : is_uri ? MM_DATASET_URI : MM_DATASET_OTHER;
    return doi ? doi : id;
}

static void add(const char **ids, size_t *n, const char *id)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(ids[i], id) == 0) {
            return;
        }
    }
    ids[(*n)++] = id;
}

/* A bit of spelling for each letter of the prefix that is a capital. */
static void add_doi(const char **ids, size_t *n, const char *doi, apr_pool_t *pool)
{
    add(ids, n, doi);
    for (unsigned spelling = 0; spelling < SPELLINGS; spelling++) {
        char *id = apr_pstrcat(pool, PREFIX, doi, NULL);

        for (size_t i = 0; i < LETTERS; i++) {
            id[i] = spelling & 1u << i ? (char)apr_toupper(id[i]) : id[i];
        }
        add(ids, n, id);
    }
}

/* proprietary:52f1, uri:https://example.org/1; a DOI's is dealt with already. */
static void add_named(const char **ids, size_t *n, const char *text)
{
    for (size_t i = 0; i < KINDS; i++) {
        size_t len = strlen(kind_names[i]);
        mm_dataset_id_kind_t kind;

        if (strncasecmp(text, kind_names[i], len) == 0 && text[len] == ':' && text[len + 1] &&
            mm_dataset_id_value(text + len + 1, &kind) == text + len + 1 && kind == (mm_dataset_id_kind_t)i) {
            add(ids, n, text + len + 1);
        }
    }
}

size_t mm_dataset_id_meant(const char *const **ids, const char *text, apr_pool_t *pool)
{
    const char **meant = apr_palloc(pool, (1 + 1 + SPELLINGS + 1) * sizeof(*meant));
    const char *doi = doi_of(text);
    size_t n = 0;

    add(meant, &n, text);
    if (doi) {
        add_doi(meant, &n, doi, pool);
    }
    add_named(meant, &n, text);
    *ids = meant;
    return n;
}
