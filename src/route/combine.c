/* What a route as a whole means, and which of its parts exclude each other. Each part has been found good by itself. */
#include "route/combine.h"

#define BAD_REQUEST 400

bool mm_route_is_per_user(const mm_route_t *route)
{
    return route->endpoint == MM_ENDPOINT_USERS || route->endpoint == MM_ENDPOINT_USERS_ALL;
}

bool mm_route_is_computed(const mm_route_t *route)
{
    bool by_use = route->sort == MM_SORT_DEFAULT || route->sort == MM_SORT_VIEWS || route->sort == MM_SORT_DOWNLOADS;

    return route->has_since || route->has_until || mm_route_is_by_day(route) ||
           (route->agent != MM_AGENT_ALL && by_use);
}

bool mm_route_is_by_day(const mm_route_t *route)
{
    return route->endpoint == MM_ENDPOINT_DAYS || route->endpoint == MM_ENDPOINT_DAYS_ALL;
}

bool mm_route_names_people(const mm_route_t *route)
{
    bool named = mm_route_is_per_user(route);

    for (size_t i = 0; i < route->n_extras; i++) {
        named |= route->extras[i] == MM_EXTRA_OWNER || route->extras[i] == MM_EXTRA_OWNER_NAME;
    }
    return named;
}

bool mm_route_is_backwards(const mm_route_t *route)
{
    bool ascends = route->sort == MM_SORT_RESOURCE || route->sort == MM_SORT_USER || mm_route_is_by_day(route);

    return route->direction == (ascends ? MM_DIRECTION_DESC : MM_DIRECTION_ASC);
}

/* An order is one that an index has, or that of rows which the server sorts: of one resource, one parent,
 * one user, or a period. */
static int check_sort(mm_route_t *route, mm_err_t *err)
{
    bool per_user = mm_route_is_per_user(route),
         few = route->id || route->parent_id || route->user || route->has_since || route->has_until;
    bool by_person = route->sort == MM_SORT_USER;
    bool by_what = route->sort == MM_SORT_DOWNLOADS || route->sort == MM_SORT_LAST_VIEWED ||
                   route->sort == MM_SORT_LAST_DOWNLOADED;

    if (route->others) {
        if (route->sort != MM_SORT_DEFAULT && route->sort != MM_SORT_RESOURCE) {
            mm_err_set(err, APR_EINVAL, "With others=1 the parameter \"sort\" can only be resource_id.");
            return BAD_REQUEST;
        }
        route->sort = MM_SORT_RESOURCE;
    }
    if (by_person && !per_user) {
        mm_err_set(err, APR_EINVAL,
                   "The parameter \"sort\" cannot be user_id here; it can be views, downloads, last_viewed, "
                   "last_downloaded or resource_id.");
        return BAD_REQUEST;
    }
    if (by_what && per_user && !few) {
        mm_err_set(err, APR_EINVAL,
                   "The parameter \"sort\" can be views, resource_id or user_id here; the others exist for the users "
                   "of one resource, the children of one parent, one user, or a period.");
        return BAD_REQUEST;
    }
    return 0;
}

/* What one user used has no rest; nor can a row that names nobody be one of theirs. */
static int check_others(const mm_route_t *route, mm_err_t *err)
{
    if (!route->others || !route->user) {
        return 0;
    }
    mm_err_set(err, APR_EINVAL, "The parameters \"others\" and \"user\" exclude each other.");
    return BAD_REQUEST;
}

/* Days know how often something was used, and not when. */
static int check_period(const mm_route_t *route, mm_err_t *err)
{
    bool by_time = route->sort == MM_SORT_LAST_VIEWED || route->sort == MM_SORT_LAST_DOWNLOADED;

    if (!route->has_since && !route->has_until) {
        return 0;
    }
    if (route->has_since && route->has_until && route->since_ms >= route->until_ms) {
        mm_err_set(err, APR_EINVAL, "There is no day from \"since\" to \"until\", which is behind the last one.");
        return BAD_REQUEST;
    }
    if (route->has_unused_since) {
        mm_err_set(err, APR_EINVAL, "The parameter \"not_accessed_since\" is about all time, without since and until.");
        return BAD_REQUEST;
    }
    if (by_time) {
        mm_err_set(err, APR_EINVAL,
                   "With since or until the parameter \"sort\" can be views, downloads, resource_id or, "
                   "of users, user_id.");
        return BAD_REQUEST;
    }
    return 0;
}

/* Without a time, what was made a minute ago would stand there as what could be archived. */
static int check_never_used(const mm_route_t *route, mm_err_t *err)
{
    if (route->never_used == MM_NEVER_USED_NONE || route->has_unused_since) {
        return 0;
    }
    mm_err_set(err, APR_EINVAL, "The parameter \"never_used\" needs \"not_accessed_since\" beside it.");
    return BAD_REQUEST;
}

int mm_combine_check(mm_route_t *route, mm_err_t *err)
{
    int refused = check_others(route, err);

    refused = refused ? refused : check_never_used(route, err);
    refused = refused ? refused : check_period(route, err);
    return refused ? refused : check_sort(route, err);
}
