/* The directives that say how a visitor is told: MetricsIdentity, MetricsSessionCookie, MetricsAnonymousUser.
 */
#include "config/directives.h"

#include "apr_lib.h"
#include "apr_strings.h"
#include "base/file.h"
#include "base/sha256.h"

#define COMMKEY_FILE_MAX 4096
#define NAME_MAX_LEN     256

/* What can be the name of a cookie or a header (RFC 9110, token), and nearly that of a parameter. */
static int is_token(const char *text)
{
    size_t len = strlen(text);
    for (const char *c = text; *c; c++) {
        if (!apr_isgraph(*c) || strchr("()<>@,;:\\\"/[]?={}&", *c)) {
            return 0;
        }
    }
    return len > 0 && len < NAME_MAX_LEN;
}

/* The first line of a file, of which only the hash is kept. */
static const char *read_commkey(cmd_parms *cmd, const char *arg, const char **hash)
{
    const char *path = ap_server_root_relative(cmd->temp_pool, arg);
    char *hex = apr_palloc(cmd->pool, MM_SHA256_HEX + 1), *text = NULL;
    size_t len = 0;
    mm_err_t err;
    if (!path) {
        return apr_psprintf(cmd->pool, "MetricsIdentity: \"%s\" is no path", arg);
    }
    if (mm_file_slurp(&text, &len, path, COMMKEY_FILE_MAX, cmd->temp_pool, &err) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "MetricsIdentity: %s", err.text);
    }
    len = strcspn(text, "\r\n");
    if (len == 0 || !mm_sha256_hex(hex, text, len)) {
        return apr_psprintf(cmd->pool, "MetricsIdentity: the first line of %s should be Clowder's commKey", path);
    }
    *hash = hex;
    return NULL;
}

static const char *set_identity_option(cmd_parms *cmd, mm_identity_conf_t *conf, const char *word)
{
    static const struct {
        const char *name;
        size_t len, offset;
    } options[] = {{"cookie=", 7, offsetof(mm_identity_conf_t, cookie)},
                   {"header=", 7, offsetof(mm_identity_conf_t, header)},
                   {"parameter=", 10, offsetof(mm_identity_conf_t, parameter)}};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strncmp(word, options[i].name, options[i].len) == 0) {
            const char *value = word + options[i].len;
            *(const char **)((char *)conf + options[i].offset) = value;
            return is_token(value) ? NULL : apr_psprintf(cmd->pool, "MetricsIdentity: %s is no name", word);
        }
    }
    if (strncmp(word, "commkey-file=", 13) == 0) {
        return read_commkey(cmd, word + 13, &conf->commkey);
    }
    return apr_psprintf(cmd->pool,
                        "MetricsIdentity: \"%s\" is not known; behind clowder may stand cookie=NAME, header=NAME, "
                        "parameter=NAME and commkey-file=PATH",
                        word);
}

const char *mm_set_identity(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    mm_identity_conf_t *conf = apr_pcalloc(cmd->pool, sizeof(*conf));
    const char *wrong = NULL;
    ((mm_dir_config_t *)dir)->identity = conf;
    if (argc == 1 && ap_cstr_casecmp(argv[0], "none") == 0) {
        return NULL;
    }
    if (argc < 1 || strcmp(argv[0], "clowder") != 0) {
        return "MetricsIdentity: write clowder and where to look, as MetricsIdentity clowder cookie=id, or none";
    }
    for (int i = 1; i < argc && !wrong; i++) {
        wrong = set_identity_option(cmd, conf, argv[i]);
    }
    if (!wrong && conf->commkey && !conf->parameter) {
        return "MetricsIdentity: commkey-file= needs parameter=, since that is where Clowder takes its commKey from";
    }
    if (!wrong && argc == 1) {
        conf->cookie = "id"; /* SecureSocial's default */
    }
    return wrong;
}

const char *mm_set_session_cookie(cmd_parms *cmd, void *dir, const char *name)
{
    if (ap_cstr_casecmp(name, "none") == 0) {
        name = "";
    }
    else if (!is_token(name)) {
        return apr_psprintf(cmd->pool, "MetricsSessionCookie: \"%s\" is not the name of a cookie", name);
    }
    ((mm_dir_config_t *)dir)->session_cookie = name;
    return NULL;
}

const char *mm_set_anonymous_user(cmd_parms *cmd, void *dir, const char *name)
{
    (void)dir;
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    if (wrong) {
        return wrong;
    }
    if (!*name || strlen(name) > MM_EVENT_USER_MAX) {
        return apr_psprintf(cmd->pool, "MetricsAnonymousUser: \"%.80s\" cannot be the name of a user (1 to %d bytes)",
                            name, MM_EVENT_USER_MAX);
    }
    APR_ARRAY_PUSH(mm_config_being_read()->nobodies, const char *) = name;
    return NULL;
}
