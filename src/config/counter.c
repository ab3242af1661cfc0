/* MetricsCounter: who a COUNTER report is from, and which types are datasets in it. */
#include "config/directives.h"

#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(metrics);

#define DATASETS "datasets"

static const char *const id_types[] = {"client-id", "grid", "isni", "orcid", "urn", NULL};

static const char *set_types(cmd_parms *cmd, mm_config_t *config, const char *value)
{
    char *last = NULL;
    config->counter_types = apr_array_make(config->pool, 2, sizeof(const char *));
    for (char *name = apr_strtok(apr_pstrdup(config->pool, value), ",", &last); name;
         name = apr_strtok(NULL, ",", &last)) {
        if (!ap_array_str_contains(config->counter_types, name)) {
            APR_ARRAY_PUSH(config->counter_types, const char *) = name;
        }
    }
    return config->counter_types->nelts > 0
               ? NULL
               : apr_pstrcat(cmd->pool, "MetricsCounter: types= names types of resources, such as types=", DATASETS,
                             NULL);
}

static const char *set_publisher_id(cmd_parms *cmd, mm_config_t *config, const char *value)
{
    const char *colon = strchr(value, ':');
    for (size_t i = 0; colon && colon[1] && id_types[i]; i++) {
        if (strlen(id_types[i]) == (size_t)(colon - value) && strncmp(id_types[i], value, strlen(id_types[i])) == 0) {
            config->counter.publisher_id_type = id_types[i];
            config->counter.publisher_id = colon + 1;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool,
                        "MetricsCounter: publisher-id=\"%s\" must be one of client-id, grid, isni, orcid and urn, a "
                        "colon, and the id: publisher-id=grid:grid.5335.0",
                        value);
}

static const char *set_help(cmd_parms *cmd, mm_config_t *config, const char *value)
{
    if (strncmp(value, "https://", 8) != 0 && strncmp(value, "http://", 7) != 0) {
        return apr_psprintf(cmd->pool, "MetricsCounter: help=\"%s\" is no address that begins with https:// or http://",
                            value);
    }
    config->counter.help = value;
    return NULL;
}

static const char *set_word(cmd_parms *cmd, mm_config_t *config, const char *word)
{
    const char *value = strchr(word, '=');
    size_t len = value ? (size_t)(value - word) : 0;
    mm_dsr_names_t *names = &config->counter;
    const struct {
        const char *name;
        const char **text;                                                         /* where it goes */
        const char *(*set)(cmd_parms *cmd, mm_config_t *config, const char *text); /* or who takes it */
    } words[] = {{"types", NULL, set_types},
                 {"platform", &names->platform, NULL},
                 {"publisher", &names->publisher, NULL},
                 {"publisher-id", NULL, set_publisher_id},
                 {"created-by", &names->created_by, NULL},
                 {"help", NULL, set_help}};
    for (size_t i = 0; value && value[1] && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].name) == len && strncmp(words[i].name, word, len) == 0) {
            if (words[i].set) {
                return words[i].set(cmd, config, value + 1);
            }
            *words[i].text = value + 1;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool,
                        "MetricsCounter: \"%s\" is not known; there are types=, platform=, publisher=, publisher-id=, "
                        "created-by= and help=, each with a value; quotes stand around the "
                        "whole, as in \"platform=Our repository\"",
                        word);
}

const char *mm_set_counter(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    (void)dir;
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    if (!wrong && argc == 0) {
        wrong = "MetricsCounter: name what differs from the default, such as \"platform=Our repository\" (with the "
                "quotes around the whole)";
    }
    for (int i = 0; i < argc && !wrong; i++) {
        wrong = set_word(cmd, mm_config_being_read(), argv[i]);
    }
    return wrong;
}

int mm_config_check_counter(mm_config_t *config, server_rec *s)
{
    int status = OK;
    if (!config->counter_types) {
        config->counter_types = apr_array_make(config->pool, 1, sizeof(const char *));
        if (mm_config_type(config, DATASETS)) {
            APR_ARRAY_PUSH(config->counter_types, const char *) = DATASETS;
        }
    }
    for (int i = 0; i < config->counter_types->nelts; i++) {
        const char *name = APR_ARRAY_IDX(config->counter_types, i, const char *);
        if (!mm_config_type(config, name)) {
            ap_log_error(
                APLOG_MARK, APLOG_ERR, 0, s,
                "MM0307: MetricsCounter types= names \"%s\", which is not configured: add <MetricsType %s>, or "
                "correct the name",
                name, name);
            status = HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return status;
}
