/* mod_cache in front of us.
 *
 * Its quick handler answers what it has before httpd looks at sections, so for these requests MetricsCapture On in a
 * section is not in force, and they would go unseen. Where it stands at server level it is in force. What mod_cache was
 * told only its directives say, as they stand in the tree that httpd made of its configuration.
 */
#include "config/directives.h"

#include "http_log.h"

APLOG_USE_MODULE(metrics);

/* Of one server; what the main server says is inherited. */
typedef struct caching {
    const ap_directive_t *enabled;  /* a CacheEnable that applies */
    const ap_directive_t *captures; /* a MetricsCapture On, in a section or not */
    int quick;                      /* CacheQuickHandler */
    int captures_all;               /* MetricsCapture, outside of sections */
} caching_t;

static int is_called(const ap_directive_t *directive, const char *name)
{
    return ap_cstr_casecmp(directive->directive, name) == 0;
}

static int is_on(const ap_directive_t *directive)
{
    return ap_cstr_casecmp(directive->args, "On") == 0;
}

/* One of these, or of what is inside them, but not of virtual hosts, which are looked at by themselves. */
static const ap_directive_t *find(const ap_directive_t *directive, const char *name, int on)
{
    for (; directive; directive = directive->next) {
        if (is_called(directive, name) && (!on || is_on(directive))) {
            return directive;
        }
        const ap_directive_t *inside =
            is_called(directive, "<VirtualHost") ? NULL : find(directive->first_child, name, on);
        if (inside) {
            return inside;
        }
    }
    return NULL;
}

static void read_server(caching_t *caching, const ap_directive_t *first)
{
    const ap_directive_t *enabled = find(first, "CacheEnable", 0), *captures = find(first, "MetricsCapture", 1);
    caching->enabled = enabled ? enabled : caching->enabled;
    caching->captures = captures ? captures : caching->captures;
    for (const ap_directive_t *directive = first; directive; directive = directive->next) {
        if (is_called(directive, "CacheQuickHandler")) {
            caching->quick = is_on(directive);
        }
        else if (is_called(directive, "MetricsCapture")) {
            caching->captures_all = is_on(directive);
        }
    }
}

static int judge(const caching_t *caching, server_rec *s)
{
    if (!caching->enabled || !caching->captures || !caching->quick || caching->captures_all) {
        return OK;
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                 "MM0305: CacheEnable (%s, line %d) with CacheQuickHandler On, its default, hides from MetricsCapture "
                 "what the cache answers: add CacheQuickHandler Off, or put MetricsCapture On outside of all sections "
                 "of that server",
                 caching->enabled->filename, caching->enabled->line_num);
    return HTTP_INTERNAL_SERVER_ERROR;
}

int mm_config_check_cache(server_rec *s, const ap_directive_t *tree)
{
    caching_t main_server = {.quick = 1};
    read_server(&main_server, tree);
    int status = judge(&main_server, s);
    for (const ap_directive_t *directive = tree; directive; directive = directive->next) {
        if (is_called(directive, "<VirtualHost")) {
            caching_t host = main_server;
            read_server(&host, directive->first_child);
            status = judge(&host, s) == OK ? status : HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return status;
}
