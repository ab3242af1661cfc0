/* Three lists, asked in this order: allowed, robots, machines.
 *
 * The Code of Practice for Research Data wants robots left out and scripts counted: its list of robots is COUNTER's
 * without the agents of general purpose (section 10.5), which are the machines of Make Data Count. COUNTER's own list
 * has both. So a pattern that is on both lists is taken out of the robots.
 *
 * A string that is found on both lists by different patterns is a robot's: "serpstatbot/1.0 (curl/7.58.0)" says what it
 * is and what it is made with. counter-processor, which Make Data Count uses, asks in the same order. Of the 2,123
 * strings of crawler-user-agents 1.67.0 such are 40, of which 37 are crawlers and three are libraries (python-httpx,
 * CustomAsyncHttpClient); a site that wants those counted adds their pattern of the robots list, here httpx, to its
 * machines.
 *
 * Allowed strings stand above both: that is what the list is for.
 */
#include "agents/agents.h"

#include <string.h>

#include "agents/agent_cache.h"

struct mm_agents {
    mm_patterns_t *lists[MM_AGENT_LISTS]; /* NULL for MM_AGENT_UNLISTED */
    mm_agent_cache_t *cache;              /* NULL: none yet, or none can be had */
    bool used;                            /* it was asked for something, and so tried to make a cache */
    const mm_log_t *log;
    apr_pool_t *pool;
    mm_agents_sizes_t sizes;
};

const char *mm_agent_list_name(mm_agent_list_t list)
{
    static const char *const names[MM_AGENT_LISTS] = {"unlisted", "allowed", "robots", "machines"};

    return (unsigned)list < MM_AGENT_LISTS ? names[list] : "unknown";
}

/* Whether the last pattern of a list makes nothing of what it is asked: browsers that have nothing in common but that
 * people use them. */
static bool takes_all(mm_patterns_t *patterns)
{
    static const char *const browsers[] = {
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
        "Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
        "Mobile/15E148 Safari/604.1",
    };

    for (size_t i = 0; i < sizeof(browsers) / sizeof(browsers[0]); i++) {
        if (!mm_patterns_last_matches(patterns, browsers[i], strlen(browsers[i]))) {
            return false;
        }
    }
    return true;
}

static void add_of_file(mm_agents_t *agents, mm_agent_list_t list, const mm_pattern_t *pattern)
{
    mm_patterns_t *patterns = agents->lists[list];
    mm_err_t err;
    apr_status_t rv = mm_patterns_add(patterns, pattern, &err);

    if (rv == APR_SUCCESS && takes_all(patterns)) {
        mm_patterns_drop_last(patterns);
        rv = mm_err_set(&err, APR_EINVAL, "%s: the pattern \"%.160s\" matches every browser", pattern->where,
                        pattern->text);
    }
    if (rv != APR_SUCCESS) {
        agents->sizes.left_out++;
        mm_log(agents->log, MM_LOG_WARNING, "MM0802", "a pattern of the %s is left out: %s", mm_agent_list_name(list),
               err.text);
    }
}

/* Reads all the files of a list, before anything is said about a pattern in them. */
static apr_status_t read_files(apr_array_header_t **patterns, const apr_array_header_t *paths, apr_pool_t *pool,
                               mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    *patterns = apr_array_make(pool, 512, sizeof(mm_pattern_t));
    for (int i = 0; paths && i < paths->nelts && rv == APR_SUCCESS; i++) {
        rv = mm_pattern_file_read(*patterns, APR_ARRAY_IDX(paths, i, const char *), pool, err);
    }
    return rv;
}

static void add_patterns(mm_agents_t *agents, mm_agent_list_t list, const apr_array_header_t *patterns)
{
    for (int i = 0; i < patterns->nelts; i++) {
        add_of_file(agents, list, &APR_ARRAY_IDX(patterns, i, mm_pattern_t));
    }
}

static apr_status_t add_allowed(mm_agents_t *agents, const apr_array_header_t *expressions, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; expressions && i < expressions->nelts && rv == APR_SUCCESS; i++) {
        mm_pattern_t pattern = {APR_ARRAY_IDX(expressions, i, const char *), "MetricsAllowAgents"};

        rv = mm_patterns_add(agents->lists[MM_AGENT_ALLOWED], &pattern, err);
    }
    return rv;
}

/* The lists, empty. */
static mm_agents_t *make(const mm_log_t *log, apr_pool_t *pool)
{
    mm_agents_t *agents = apr_pcalloc(pool, sizeof(*agents));

    agents->log = log;
    agents->pool = pool;
    for (int i = MM_AGENT_ALLOWED; i < MM_AGENT_LISTS; i++) {
        agents->lists[i] = mm_patterns_create(mm_agent_list_name((mm_agent_list_t)i), log, pool);
        if (!agents->lists[i]) {
            return NULL;
        }
    }
    return agents;
}

static apr_status_t fill(mm_agents_t *agents, const mm_agents_sources_t *sources, mm_err_t *err)
{
    apr_array_header_t *robots, *machines;
    apr_status_t rv = add_allowed(agents, sources->allow, err);

    if (rv == APR_SUCCESS) {
        rv = read_files(&robots, sources->robots, agents->pool, err);
    }
    if (rv == APR_SUCCESS) {
        rv = read_files(&machines, sources->machines, agents->pool, err);
    }
    if (rv == APR_SUCCESS) {
        add_patterns(agents, MM_AGENT_ROBOT, robots);
        add_patterns(agents, MM_AGENT_MACHINE, machines);
        agents->sizes.subtracted = mm_patterns_subtract(agents->lists[MM_AGENT_ROBOT], agents->lists[MM_AGENT_MACHINE]);
    }
    for (int i = MM_AGENT_ALLOWED; i < MM_AGENT_LISTS && rv == APR_SUCCESS; i++) {
        rv = mm_patterns_compile(agents->lists[i], err);
    }
    return rv;
}

static bool is_empty(const mm_agents_t *agents)
{
    return agents->sizes.robots + agents->sizes.machines + agents->sizes.allow == 0;
}

/* So that one can see which lists are in force. */
static void tell(const mm_agents_t *agents)
{
    const mm_agents_sizes_t *sizes = &agents->sizes;

    if (!is_empty(agents)) {
        mm_log(agents->log, MM_LOG_INFO, "MM0803",
               "agents are classified by %lu patterns of robots, %lu of machines and %lu that are allowed; %lu of the "
               "robots' were taken out as machines'",
               (unsigned long)sizes->robots, (unsigned long)sizes->machines, (unsigned long)sizes->allow,
               (unsigned long)sizes->subtracted);
    }
}

apr_status_t mm_agents_load(mm_agents_t **result, const mm_agents_sources_t *sources, const mm_log_t *log,
                            apr_pool_t *pool, mm_err_t *err)
{
    mm_agents_t *agents = make(log, pool);
    apr_status_t rv;

    if (!agents) {
        return mm_err_set(err, APR_ENOMEM, "no memory for the lists of agents");
    }
    rv = fill(agents, sources, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    agents->sizes.robots = mm_patterns_count(agents->lists[MM_AGENT_ROBOT]);
    agents->sizes.machines = mm_patterns_count(agents->lists[MM_AGENT_MACHINE]);
    agents->sizes.allow = mm_patterns_count(agents->lists[MM_AGENT_ALLOWED]);
    tell(agents);
    *result = agents;
    return APR_SUCCESS;
}

apr_status_t mm_agents_check_allow(const char *expression, const char *name, apr_pool_t *pool, mm_err_t *err)
{
    mm_patterns_t *patterns = mm_patterns_create(name, NULL, pool);
    mm_pattern_t pattern = {expression, name};

    return patterns ? mm_patterns_add(patterns, &pattern, err) : mm_err_set(err, APR_ENOMEM, "%s: no memory", name);
}

static mm_agent_list_t ask(mm_agents_t *agents, const char *agent, size_t len)
{
    for (int i = MM_AGENT_ALLOWED; i < MM_AGENT_LISTS; i++) {
        if (mm_patterns_match(agents->lists[i], agent, len)) {
            return (mm_agent_list_t)i;
        }
    }
    return MM_AGENT_UNLISTED;
}

mm_agent_list_t mm_agents_look_up(mm_agents_t *agents, const char *agent, size_t len)
{
    mm_agent_list_t list;
    uint64_t key;
    int known;

    if (is_empty(agents)) {
        return MM_AGENT_UNLISTED;
    }
    /* Not before: who only looks whether the lists can be read needs none. */
    if (!agents->used) {
        agents->used = true;
        agents->cache = mm_agent_cache_create(agents->pool);
    }
    if (!agents->cache) {
        return ask(agents, agent, len);
    }
    key = mm_agent_cache_key(agents->cache, agent, len);
    known = mm_agent_cache_get(agents->cache, key);
    if (known >= 0) {
        return (mm_agent_list_t)known;
    }
    list = ask(agents, agent, len);
    mm_agent_cache_put(agents->cache, key, list);
    return list;
}

mm_agent_list_t mm_agents_explain(mm_agents_t *agents, const char *agent, size_t len, const mm_pattern_t **pattern)
{
    *pattern = NULL;
    for (int i = MM_AGENT_ALLOWED; i < MM_AGENT_LISTS; i++) {
        *pattern = mm_patterns_find(agents->lists[i], agent, len);
        if (*pattern) {
            return (mm_agent_list_t)i;
        }
    }
    return MM_AGENT_UNLISTED;
}

void mm_agents_sizes(const mm_agents_t *agents, mm_agents_sizes_t *sizes)
{
    *sizes = agents->sizes;
}
