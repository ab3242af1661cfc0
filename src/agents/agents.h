/* User agents: what a list says of one, robot, machine or allowed.
 *
 * Two strings are never told apart by anything but the lists that the administrator names (MetricsRobots,
 * MetricsMachines) and the expressions that override them (MetricsAllowAgents). Needs no httpd; one thread at a time.
 */
#ifndef MM_AGENTS_H
#define MM_AGENTS_H

#include <stddef.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "agents/patterns.h"
#include "base/err.h"
#include "base/log.h"

/* Where a string is found; the order is that in which the lists are asked. */
typedef enum mm_agent_list {
    MM_AGENT_UNLISTED = 0,
    MM_AGENT_ALLOWED, /* no robot and no machine, whatever the lists say */
    MM_AGENT_ROBOT,
    MM_AGENT_MACHINE
} mm_agent_list_t;

#define MM_AGENT_LISTS 4

/* "unlisted", "allowed", "robots", "machines" */
const char *mm_agent_list_name(mm_agent_list_t list);

/* Each may be NULL or empty. */
typedef struct mm_agents_sources {
    const apr_array_header_t *robots;   /* of const char *: paths of files, see pattern_file.h */
    const apr_array_header_t *machines; /* the same */
    const apr_array_header_t *allow;    /* of const char *: regular expressions */
} mm_agents_sources_t;

typedef struct mm_agents mm_agents_t;

/* Reads and compiles all of it. A file that cannot be read or holds no pattern is an error (APR_EINVAL or the system's)
 * with a sentence; so is an expression of allow that is wrong. A pattern of a file that is wrong, that takes too long,
 * or that takes every browser for a robot or a machine, is left out, with a warning (MM0802): the rest of the list is
 * better than none, and a package's new version must not keep a server from starting. log, which may be NULL, must
 * outlive the agents. */
apr_status_t mm_agents_load(mm_agents_t **agents, const mm_agents_sources_t *sources, const mm_log_t *log,
                            apr_pool_t *pool, mm_err_t *err);

/* Whether an expression can be one of MetricsAllowAgents: APR_EINVAL and a sentence that begins with name. */
apr_status_t mm_agents_check_allow(const char *expression, const char *name, apr_pool_t *pool, mm_err_t *err);

/* Remembers what it found: the next time costs a look into the cache (see agent_cache.h). */
mm_agent_list_t mm_agents_look_up(mm_agents_t *agents, const char *agent, size_t len);

/* The same without the cache, and which pattern it was; NULL for an unlisted one. */
mm_agent_list_t mm_agents_explain(mm_agents_t *agents, const char *agent, size_t len, const mm_pattern_t **pattern);

typedef struct mm_agents_sizes {
    size_t robots, machines, allow;
    size_t subtracted; /* robots that are machines */
    size_t left_out;
} mm_agents_sizes_t;

void mm_agents_sizes(const mm_agents_t *agents, mm_agents_sizes_t *sizes);

#endif
