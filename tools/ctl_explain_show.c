/* Verdicts in words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include <bson/bson.h>
#include "base/text.h"
#include "ctl.h"
#include "ctl_explain.h"

#define SHOWN_MAX 2048

/* By the name of the verdict. */
static const char *const reasons[][2] = {
    {"method", "only GET is a use"},
    {"status", "only 200, 304 and the beginning of a 206 are a use"},
    {"robot", "robots are not counted"},
    {"range",
     "of an answer in parts only the one that begins at the first byte is a use; where a log does not tell the "
     "range (%{Range}i), none is"},
    {"incomplete", "the client broke the download off"},
    {"double_click", "another click of the same user on the same thing, soon before or behind it, stands for it"},
};

static const char *const sifted_reasons[MM_SIFTED_KINDS] = {
    [MM_SIFTED_NO_RULE] = "no MetricsView and no MetricsDownload of any <MetricsType> matches the path",
    [MM_SIFTED_UNTRACKED] = "it asks not to be counted: tracking=false, or 0",
    [MM_SIFTED_UNFIT] = "its id is longer than ids may be, or its list of ids is empty",
};

static const char *verdict_of(const ctl_explained_t *explained)
{
    if (explained->sifted != MM_SIFTED_EVENT) {
        return mm_sifted_name(explained->sifted);
    }
    return mm_verdict_name(explained->verdict);
}

static const char *reason_of(const ctl_explained_t *explained)
{
    const char *verdict = verdict_of(explained);

    if (explained->sifted == MM_SIFTED_BAD) {
        return explained->wrong;
    }
    if (explained->sifted != MM_SIFTED_EVENT) {
        return sifted_reasons[explained->sifted] ? sifted_reasons[explained->sifted] : verdict;
    }
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reasons[i][0], verdict) == 0) {
            return reasons[i][1];
        }
    }
    return NULL;
}

static bool is_counted(const ctl_explained_t *explained)
{
    return explained->sifted == MM_SIFTED_EVENT && explained->verdict == MM_COUNTED;
}

/* --- for people ----------------------------------------------------------------------------------------------------
 */

static void put(const char *text, size_t len)
{
    char whole[SHOWN_MAX], shown[SHOWN_MAX];

    len = len < sizeof(whole) - 1 ? len : sizeof(whole) - 1;
    memcpy(whole, text, len);
    whole[len] = '\0';
    ctl_escape(shown, sizeof(shown), whole);
    fputs(shown, stdout);
}

static void put_bytes(const char *before, mm_bytes_t bytes, const char *behind)
{
    if (bytes.len > 0) {
        fputs(before, stdout);
        put(bytes.data, bytes.len);
        fputs(behind, stdout);
    }
}

static void put_rule(const ctl_explained_t *explained)
{
    const mm_rule_spec_t *spec = mm_rules_spec(explained->rules, explained->rule);

    printf("\n    rule %d of %d: <MetricsType ", explained->rule + 1, mm_rules_count(explained->rules));
    put(spec->type, strlen(spec->type));
    printf("> %s \"", spec->action == MM_ACTION_VIEW ? "MetricsView" : "MetricsDownload");
    put(spec->pattern, strlen(spec->pattern));
    fputs("\"", stdout);
    put_bytes(" query=", mm_bytes_of(spec->query), "");
    fputs(spec->lower ? " case=lower" : "", stdout);
    put_bytes(" via=", mm_bytes_of(spec->via), "");
}

/* What the event's id is, where it is not just that. */
static void put_more(const ctl_explained_t *explained)
{
    if (explained->sifting.n_ids > 1) {
        printf(" and %zu more of the same request", explained->sifting.n_ids - 1);
    }
    put_bytes(", a key: what it leads to by ", explained->event.via,
              " counts, and that is looked up when it is counted");
}

static void put_use(const ctl_explained_t *explained)
{
    const mm_event_t *event = &explained->event;

    printf("\n    %s of ", mm_action_name(event->action));
    put(event->type.data, event->type.len);
    put_bytes(" \"", event->id, "\"");
    put_more(explained);
    put_bytes(" by user \"", event->user, "\"");
    printf(", class %s", mm_class_name(explained->class));
    if (explained->class_why) {
        fputs(": ", stdout);
        put(explained->class_why, strlen(explained->class_why));
    }
}

void ctl_explained_text(const ctl_explained_t *explained)
{
    const char *reason = reason_of(explained);

    printf("%" PRId64 ": ", explained->number);
    if (is_counted(explained)) {
        fputs("counted", stdout);
    }
    else {
        printf("not counted (%s)", verdict_of(explained));
    }
    if (reason) {
        fputs(": ", stdout);
        put(reason, strlen(reason));
    }
    if (explained->sifted == MM_SIFTED_EVENT) {
        put_use(explained);
    }
    else if (explained->sifted == MM_SIFTED_NO_RULE) {
        put_bytes("\n    path \"", explained->sifting.line.path, "\"");
    }
    if (explained->rule >= 0) {
        put_rule(explained);
    }
    putchar('\n');
}

/* --- for scripts ---------------------------------------------------------------------------------------------------
 */

static void append(bson_t *doc, const char *key, const char *data, size_t len)
{
    if (len == 0) {
        return;
    }
    if (mm_text_is_utf8(data, len)) {
        bson_append_utf8(doc, key, -1, data, (int)len);
    }
    else {
        bson_append_binary(doc, key, -1, BSON_SUBTYPE_BINARY, (const uint8_t *)data, (uint32_t)len);
    }
}

static void append_text(bson_t *doc, const char *key, const char *text)
{
    append(doc, key, text, text ? strlen(text) : 0);
}

static void append_rule(bson_t *doc, const ctl_explained_t *explained)
{
    const mm_rule_spec_t *spec = mm_rules_spec(explained->rules, explained->rule);
    bson_t rule;

    BSON_APPEND_DOCUMENT_BEGIN(doc, "rule", &rule);
    BSON_APPEND_INT32(&rule, "number", explained->rule + 1);
    append_text(&rule, "type", spec->type);
    append_text(&rule, "action", mm_action_name(spec->action));
    append_text(&rule, "pattern", spec->pattern);
    append_text(&rule, "query", spec->query);
    append_text(&rule, "case", spec->lower ? "lower" : NULL);
    append_text(&rule, "via", spec->via);
    bson_append_document_end(doc, &rule);
}

void ctl_explained_json(const ctl_explained_t *explained, apr_pool_t *pool)
{
    const mm_event_t *event = &explained->event;
    bson_t doc = BSON_INITIALIZER;
    char *text;

    (void)pool;
    BSON_APPEND_INT64(&doc, "line", explained->number);
    BSON_APPEND_BOOL(&doc, "counted", is_counted(explained));
    append_text(&doc, "verdict", verdict_of(explained));
    append_text(&doc, "reason", reason_of(explained));
    if (explained->sifted == MM_SIFTED_EVENT) {
        append(&doc, "type", event->type.data, event->type.len);
        append(&doc, "id", event->id.data, event->id.len);
        append(&doc, "via", event->via.data, event->via.len);
        if (explained->sifting.n_ids > 1) {
            BSON_APPEND_INT64(&doc, "more_ids", (int64_t)explained->sifting.n_ids - 1);
        }
        append_text(&doc, "action", mm_action_name(event->action));
        append(&doc, "user", event->user.data, event->user.len);
        append_text(&doc, "class", mm_class_name(explained->class));
        append_text(&doc, "class_reason", explained->class_why);
    }
    if (explained->rule >= 0) {
        append_rule(&doc, explained);
    }
    text = bson_as_relaxed_extended_json(&doc, NULL);
    puts(text ? text : "{}");
    bson_free(text);
    bson_destroy(&doc);
}

/* Which list has the agent, and by which pattern of which file. */
static const char *why_of_agent(const mm_event_t *event, mm_agents_t *agents, apr_pool_t *pool)
{
    const mm_pattern_t *pattern = NULL;
    mm_agent_list_t list = MM_AGENT_UNLISTED;

    if (event->agent.len == 0) {
        return event->source == MM_SOURCE_POST ? NULL : "there is no agent";
    }
    if (agents) {
        list = mm_agents_explain(agents, event->agent.data, event->agent.len, &pattern);
    }
    if (!pattern) {
        return "the agent is on no list";
    }
    return apr_psprintf(pool, "the agent is %s \"%s\" (%s)",
                        list == MM_AGENT_ALLOWED ? "allowed by"
                        : list == MM_AGENT_ROBOT ? "on the list of robots by"
                                                 : "on the list of machines by",
                        pattern->text, pattern->where);
}

void ctl_explained_class(ctl_explained_t *explained, const mm_policy_t *policy, apr_pool_t *pool)
{
    explained->class = mm_class_of(&explained->event, policy);
    explained->class_why =
        explained->event.class_mark.len > 0 ? "as it is marked" : why_of_agent(&explained->event, policy->agents, pool);
}
