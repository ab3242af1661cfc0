/* What config.c and the readers of directives share. */
#ifndef MM_DIRECTIVES_H
#define MM_DIRECTIVES_H

#include "config/config.h"

/* The settings of the configuration run in progress, for directives in any server. Never NULL while directives are
 * read. */
mm_config_t *mm_config_being_read(void);

/* Whether mod_cache leaves us what it answers; tree is ap_conftree. A sentence in the log for each server where it does
 * not, and HTTP_INTERNAL_SERVER_ERROR. */
int mm_config_check_cache(server_rec *s, const ap_directive_t *tree);

/* Directive functions, in the signatures httpd wants. */
const char *mm_set_type_section(cmd_parms *cmd, void *dir, const char *args);
const char *mm_set_rule(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *mm_set_robots(cmd_parms *cmd, void *dir, const char *path);
const char *mm_set_machines(cmd_parms *cmd, void *dir, const char *path);
const char *mm_set_allow_agents(cmd_parms *cmd, void *dir, const char *expression);
const char *mm_set_catalog(cmd_parms *cmd, void *dir, const char *words);
const char *mm_set_identity(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *mm_set_session_cookie(cmd_parms *cmd, void *dir, const char *name);
const char *mm_set_counter(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *mm_set_anonymous_user(cmd_parms *cmd, void *dir, const char *name);

/* For mm_config_check: the types that are datasets in COUNTER's reports, which there must be. */
int mm_config_check_counter(mm_config_t *config, server_rec *s);

/* For mm_config_check: whether the lists of agents can be used. */
int mm_agent_lists_check(const mm_config_t *config, server_rec *s);

#endif
