/* httpd tells a handler that it was chosen, but not by which section. The routes below are relative to that section, so
 * it is looked for among the server's <Location> sections: the one with our handler and the longest path that covers
 * the request. Sections that only change permissions further down have no SetHandler of their own and therefore do not
 * move the base.
 */
#include "serve/location.h"

#include "ap_expr.h"
#include "apr_strings.h"
#include "http_core.h"

/* The length of the section's path if it covers path, else -1. A trailing slash of the section does not matter. */
static int covers(const char *section, const char *path)
{
    size_t len = strlen(section);
    while (len > 0 && section[len - 1] == '/') {
        len--;
    }
    if (strncmp(path, section, len) != 0 || (path[len] != '\0' && path[len] != '/')) {
        return -1;
    }
    return (int)len;
}

/* SetHandler is an expression, even where it is a plain word. */
static int has_our_handler(request_rec *r, const core_dir_config *section)
{
    const char *wrong = NULL;
    const char *handler = section->expr_handler ? ap_expr_str_exec(r, section->expr_handler, &wrong) : section->handler;
    return !wrong && handler && strcmp(handler, "metrics") == 0;
}

/* The length of the longest section with our handler that covers path, or -1. */
static int longest_cover(request_rec *r, const char *path)
{
    const core_server_config *server = ap_get_core_module_config(r->server->module_config);
    int longest = -1;
    for (int i = 0; path && server->sec_url && i < server->sec_url->nelts; i++) {
        const ap_conf_vector_t *vector = APR_ARRAY_IDX(server->sec_url, i, const ap_conf_vector_t *);
        const core_dir_config *section = ap_get_core_module_config(vector);
        int len = section->r || section->d_is_fnmatch ? -1 : covers(section->d, path);
        if (len > longest && has_our_handler(r, section)) {
            longest = len;
        }
    }
    return longest;
}

int mm_location_find(mm_location_t *location, request_rec *r)
{
    /* Not r->uri first: mod_dir replaces it where a directory of the same name exists. */
    const char *path = r->parsed_uri.path;
    int len = longest_cover(r, path);
    if (len < 0) {
        path = r->uri;
        len = longest_cover(r, path);
    }
    if (len < 0) {
        return 0;
    }
    location->base = apr_pstrmemdup(r->pool, path, (apr_size_t)len);
    location->rest = path + len;
    return 1;
}
