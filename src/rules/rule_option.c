/* Words behind a rule's pattern become options, or a sentence that says which word is wrong. No state. */
#include "rules/rules.h"

#include <string.h>
#include <apr_strings.h>

#define QUERY_NAME_MAX 64
#define KNOWN          "query=PARAMETER, case=lower and via=COLLECTION:KEYPATH:IDPATH"

static apr_status_t set_query(mm_rule_spec_t *rule, const char *value, apr_pool_t *pool, mm_err_t *err)
{
    size_t len = strlen(value);

    if (len == 0 || len > QUERY_NAME_MAX || strpbrk(value, "&=?# ")) {
        return mm_err_set(err, APR_EINVAL, "query=%.80s: name a parameter of the query, for example query=fileList",
                          value);
    }
    rule->query = apr_pstrdup(pool, value);
    return APR_SUCCESS;
}

static apr_status_t set_case(mm_rule_spec_t *rule, const char *value, mm_err_t *err)
{
    if (strcmp(value, "lower") != 0 && strcmp(value, "keep") != 0) {
        return mm_err_set(err, APR_EINVAL, "case=%.80s: write case=lower, or case=keep for ids as they are", value);
    }
    rule->lower = strcmp(value, "lower") == 0;
    return APR_SUCCESS;
}

/* Whether the collection and the paths can be such is for whoever knows databases; see mm_via_parse. */
static apr_status_t set_via(mm_rule_spec_t *rule, const char *value, apr_pool_t *pool, mm_err_t *err)
{
    if (!*value || strlen(value) > MM_EVENT_VIA_MAX) {
        return mm_err_set(err, APR_EINVAL, "via=%.80s: write via=COLLECTION:KEYPATH:IDPATH, in at most %d bytes", value,
                          MM_EVENT_VIA_MAX);
    }
    rule->via = apr_pstrdup(pool, value);
    return APR_SUCCESS;
}

apr_status_t mm_rule_option(mm_rule_spec_t *rule, const char *word, apr_pool_t *pool, mm_err_t *err)
{
    if (strncmp(word, "query=", 6) == 0) {
        return set_query(rule, word + 6, pool, err);
    }
    if (strncmp(word, "case=", 5) == 0) {
        return set_case(rule, word + 5, err);
    }
    if (strncmp(word, "via=", 4) == 0) {
        return set_via(rule, word + 4, pool, err);
    }
    return mm_err_set(err, APR_EINVAL, "\"%.80s\" is not known; behind the pattern may stand " KNOWN, word);
}
