/* classify ROBOTS MACHINES ALLOW: reads agent strings, one a line, and writes which list has each, one a line. ROBOTS
 * and MACHINES are files of patterns, ALLOW is one of expressions, a line each; "-" is none.
 *
 * classify --speed ROBOTS MACHINES ALLOW: how many strings a second, when each is new and when each has been seen.
 *
 * For bench/agents.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "agents/agents.h"
#include "base/file.h"

/* As an event has it at most. */
#define AGENT_MAX  512
#define ALLOW_MAX  (1024 * 1024)
#define WARM_LOOKS 5000000
/* So many that the cache holds them all; going round in more than it holds finds none of them. */
#define WARM_STRINGS 10000

static void tell(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    (void)baton;
    (void)level;
    fprintf(stderr, "%s: %s\n", tag, text);
}

static const mm_log_t to_stderr = {tell, NULL};

static void fail(const char *what)
{
    fprintf(stderr, "classify: %s\n", what);
    exit(1);
}

static apr_array_header_t *file_of(const char *path, apr_pool_t *pool)
{
    apr_array_header_t *paths = apr_array_make(pool, 1, sizeof(const char *));

    if (strcmp(path, "-") != 0) {
        APR_ARRAY_PUSH(paths, const char *) = path;
    }
    return paths;
}

static apr_array_header_t *lines_of(const char *path, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 16, sizeof(const char *));
    mm_err_t err;
    char *text, *line;
    size_t len;

    if (strcmp(path, "-") == 0) {
        return lines;
    }
    if (mm_file_slurp(&text, &len, path, ALLOW_MAX, pool, &err) != APR_SUCCESS) {
        fail(err.text);
    }
    while ((line = strsep(&text, "\n")) != NULL) {
        if (*line) {
            APR_ARRAY_PUSH(lines, const char *) = line;
        }
    }
    return lines;
}

static mm_agents_t *load(char **argv, apr_pool_t *pool)
{
    mm_agents_sources_t sources = {file_of(argv[0], pool), file_of(argv[1], pool), lines_of(argv[2], pool)};
    mm_agents_t *agents;
    mm_err_t err;

    if (mm_agents_load(&agents, &sources, &to_stderr, pool, &err) != APR_SUCCESS) {
        fail(err.text);
    }
    return agents;
}

static apr_array_header_t *read_agents(apr_pool_t *pool)
{
    apr_array_header_t *agents = apr_array_make(pool, 1024, sizeof(const char *));
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    while ((len = getline(&line, &room, stdin)) >= 0) {
        if (len > 0 && line[len - 1] == '\n') {
            len--;
        }
        APR_ARRAY_PUSH(agents, const char *) = apr_pstrmemdup(pool, line, (size_t)(len > AGENT_MAX ? AGENT_MAX : len));
    }
    free(line);
    return agents;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Seconds for n looks at the first of the strings, one after the other, over and over. */
static double look(mm_agents_t *agents, const apr_array_header_t *strings, int first, int n)
{
    double begun = now();

    for (int i = 0; i < n; i++) {
        const char *agent = APR_ARRAY_IDX(strings, i % first, const char *);

        mm_agents_look_up(agents, agent, strlen(agent));
    }
    return now() - begun;
}

int main(int argc, char **argv)
{
    int speed = argc > 1 && strcmp(argv[1], "--speed") == 0;
    apr_array_header_t *strings;
    mm_agents_t *agents;
    apr_pool_t *pool;

    if (argc != 4 + speed || apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fail("usage: classify [--speed] ROBOTS MACHINES ALLOW");
    }
    strings = read_agents(pool);
    double begun = now();
    agents = load(argv + 1 + speed, pool);
    double loaded = now() - begun;
    if (strings->nelts == 0) {
        fail("no agent strings");
    }
    if (speed) {
        double cold = look(agents, strings, strings->nelts, strings->nelts);
        int few = strings->nelts < WARM_STRINGS ? strings->nelts : WARM_STRINGS;

        look(agents, strings, few, few);
        printf("load_ms %.1f\ncold_per_s %.0f\nwarm_per_s %.0f\n", loaded * 1000, strings->nelts / cold,
               WARM_LOOKS / look(agents, strings, few, WARM_LOOKS));
        return 0;
    }
    for (int i = 0; i < strings->nelts; i++) {
        const char *agent = APR_ARRAY_IDX(strings, i, const char *);

        puts(mm_agent_list_name(mm_agents_look_up(agents, agent, strlen(agent))));
    }
    return 0;
}
