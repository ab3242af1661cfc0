/* name=value, as httpd's own words are read: quotes of either kind around a value, a backslash before a quote in it. */
#include "authz/args.h"

#include <math.h>
#include <stdlib.h>

#include "apr_lib.h"
#include "apr_strings.h"

static const mm_arg_t *find(const char *args, const mm_arg_t *known, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(known[i].name);
        if (strncmp(args, known[i].name, len) == 0 && args[len] == '=') {
            return &known[i];
        }
    }
    return NULL;
}

int mm_args_are_named(const char *args, const mm_arg_t *known, size_t n)
{
    return find(args, known, n) != NULL;
}

static const char *unknown(const char *args, const mm_arg_t *known, size_t n, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "\"%s\" is no argument; there are", ap_getword_conf(pool, &args));
    for (size_t i = 0; i < n; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : " ", known[i].name, "=", NULL);
    }
    return text;
}

const char *mm_args_read(const char *args, const mm_arg_t *known, size_t n, apr_pool_t *pool)
{
    while (apr_isspace(*args)) {
        args++;
    }
    while (*args) {
        const mm_arg_t *arg = find(args, known, n);
        if (!arg) {
            return unknown(args, known, n, pool);
        }
        args += strlen(arg->name) + 1;
        if (*arg->value) {
            return apr_psprintf(pool, "%s= stands twice", arg->name);
        }
        if (!*args || apr_isspace(*args)) {
            return apr_psprintf(pool, "%s= has no value", arg->name);
        }
        *arg->value = ap_getword_conf(pool, &args);
    }
    return NULL;
}

const char *mm_args_number(double *value, const char *name, const char *text, double min, double max, apr_pool_t *pool)
{
    char *end = NULL;
    if (!text) {
        return NULL;
    }
    *value = strtod(text, &end);
    if (end == text || *end || !isfinite(*value) || *value < min || *value > max) {
        return apr_psprintf(pool, "%s=%s is not a number from %g to %g", name, text, min, max);
    }
    return NULL;
}
