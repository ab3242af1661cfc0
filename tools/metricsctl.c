/* metricsctl: the module's work from the command line, out of the same library. Finds the subcommand; the rest is in
 * its own file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include "ctl.h"

static const ctl_command_t *const commands[] = {&ctl_drain,  &ctl_explain, &ctl_forget,
                                                &ctl_import, &ctl_new_id,  &ctl_status};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const ctl_command_t *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int help(const char *name)
{
    const ctl_command_t *command = name != NULL ? command_find(name) : NULL;

    if (name != NULL && command == NULL) {
        return ctl_misuse(NULL, "there is no command \"%s\"", name);
    }
    if (command != NULL) {
        fputs(command->usage, stdout);
        return CTL_OK;
    }
    puts("usage: metricsctl COMMAND [OPTIONS]\n\ncommands:");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf("  %-11s %s\n", "help", "this text, or with a command's name how to use it");
    printf("  %-11s %s\n", "version", "the version");
    return CTL_OK;
}

static int run(int argc, const char *const *argv, apr_pool_t *pool)
{
    const ctl_command_t *command;

    if (argc < 2) {
        return ctl_misuse(NULL, "a command is missing");
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return help(argc > 2 ? argv[2] : NULL);
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
        puts("metricsctl " CTL_VERSION);
        return CTL_OK;
    }
    command = command_find(argv[1]);
    if (command == NULL) {
        return ctl_misuse(NULL, "there is no command \"%s\"", argv[1]);
    }
    return command->run(argc - 1, argv + 1, pool);
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *pool = NULL;
    int code;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return ctl_failed("no memory");
    }
    code = run(argc, argv, pool);
    apr_pool_destroy(pool);
    apr_terminate();
    if (fflush(stdout) != 0 && code == CTL_OK) {
        return ctl_failed("cannot write the output");
    }
    return code;
}
