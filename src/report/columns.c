/* One table says what columns there are; a route picks from it, in the order that the contract promises. */
#include "report/columns.h"

typedef enum source {
    DAY,
    MONTH,
    TYPE,
    ID,
    NAME,
    USER,
    USER_NAME,
    VIEWS, /* of the agents asked for */
    DOWNLOADS,
    LAST_VIEWED,
    LAST_DOWNLOADED,
    PARENT_TYPE,
    PARENT_ID,
    PARENT_NAME,
    EXTRA,                       /* and MM_EXTRA_… behind it */
    ANCESTORS = MM_COLUMNS_FIXED /* and the index of one of the route's behind it */
} source_t;

static const mm_column_t all[] = {
    [DAY] = {"day", MM_CELL_DAY, NULL, NULL},
    [MONTH] = {"month", MM_CELL_TEXT, NULL, NULL},
    [TYPE] = {"resource_type", MM_CELL_TEXT, NULL, NULL},
    [ID] = {"resource_id", MM_CELL_TEXT, NULL, NULL},
    [NAME] = {"resource_name", MM_CELL_TEXT, NULL, NULL},
    [USER] = {"user_id", MM_CELL_TEXT, NULL, NULL},
    [USER_NAME] = {"user_name", MM_CELL_TEXT, NULL, NULL},
    [VIEWS] = {"views", MM_CELL_INT, NULL, NULL},
    [DOWNLOADS] = {"downloads", MM_CELL_INT, NULL, NULL},
    [LAST_VIEWED] = {"last_viewed", MM_CELL_TIME, NULL, NULL},
    [LAST_DOWNLOADED] = {"last_downloaded", MM_CELL_TIME, NULL, NULL},
    [PARENT_TYPE] = {"parent_type", MM_CELL_TEXTS, "parents", "type"},
    [PARENT_ID] = {"parent_id", MM_CELL_TEXTS, "parents", "id"},
    [PARENT_NAME] = {"parent_name", MM_CELL_TEXTS, "parents", "name"},
    [EXTRA + MM_EXTRA_OWNER] = {"owner", MM_CELL_TEXT, NULL, NULL},
    [EXTRA + MM_EXTRA_OWNER_NAME] = {"owner_name", MM_CELL_TEXT, NULL, NULL},
    [EXTRA + MM_EXTRA_SIZE] = {"size_bytes", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_CREATED] = {"created", MM_CELL_TIME, NULL, NULL},
    [EXTRA + MM_EXTRA_STATUS] = {"status", MM_CELL_TEXT, NULL, NULL},
    [EXTRA + MM_EXTRA_LOCATION] = {"location", MM_CELL_TEXT, NULL, NULL},
    [EXTRA + MM_EXTRA_REGULAR_VIEWS] = {"regular_views", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_REGULAR_DOWNLOADS] = {"regular_downloads", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_MACHINE_VIEWS] = {"machine_views", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_MACHINE_DOWNLOADS] = {"machine_downloads", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_UNIQUE_VIEWS] = {"unique_views", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_UNIQUE_DOWNLOADS] = {"unique_downloads", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_UNIQUE_INVESTIGATIONS] = {"unique_investigations", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_MACHINE_UNIQUE_DOWNLOADS] = {"machine_unique_downloads", MM_CELL_INT, NULL, NULL},
    [EXTRA + MM_EXTRA_MACHINE_UNIQUE_INVESTIGATIONS] = {"machine_unique_investigations", MM_CELL_INT, NULL, NULL},
};
_Static_assert(sizeof(all) / sizeof(all[0]) == MM_COLUMNS_FIXED, "MM_COLUMNS_FIXED is the number of these columns");

static void add(mm_columns_t *columns, unsigned source)
{
    columns->columns[columns->n] = all[source];
    columns->sources[columns->n++] = (unsigned char)source;
}

static void add_range(mm_columns_t *columns, source_t first, source_t last)
{
    for (unsigned source = first; source <= (unsigned)last; source++) {
        add(columns, source);
    }
}

static void add_what(mm_columns_t *columns, const mm_route_t *route)
{
    bool by_day = mm_route_is_by_day(route);

    if (by_day) {
        add(columns, route->per == MM_PER_MONTH ? MONTH : DAY);
    }
    if (!route->type) {
        add(columns, TYPE);
    }
    if (!by_day) {
        add_range(columns, ID, mm_route_is_per_user(route) ? USER_NAME : NAME);
    }
    add_range(columns, VIEWS, by_day ? DOWNLOADS : LAST_DOWNLOADED);
}

void mm_columns_choose(mm_columns_t *columns, const mm_route_t *route)
{
    columns->n = 0;
    add_what(columns, route);
    columns->parents_at = columns->n;
    if (route->parents != MM_PARENTS_NONE && !mm_route_is_by_day(route)) {
        add_range(columns, PARENT_TYPE, PARENT_NAME);
    }
    for (size_t i = 0; i < route->n_extras; i++) {
        add(columns, EXTRA + (unsigned)route->extras[i]);
    }
    for (size_t i = 0; i < route->n_ancestors; i++) {
        columns->columns[columns->n] = (mm_column_t){route->ancestors[i].name, MM_CELL_TEXTS, NULL, NULL};
        columns->sources[columns->n++] = (unsigned char)(ANCESTORS + i);
    }
}

static int64_t difference(int64_t all_agents, int64_t machine)
{
    return all_agents > machine ? all_agents - machine : 0;
}

static int64_t of_agent(int64_t all_agents, int64_t machine, mm_agent_t agent)
{
    return agent == MM_AGENT_MACHINE   ? machine
           : agent == MM_AGENT_REGULAR ? difference(all_agents, machine)
                                       : all_agents;
}

static mm_cell_t text(const char *value)
{
    return (mm_cell_t){.text = value};
}

static mm_cell_t number(int64_t value)
{
    return (mm_cell_t){.number = value};
}

static mm_cell_t extra_cell(mm_extra_t extra, mm_agent_t agent, const mm_page_row_t *row)
{
    const mm_use_t *use = row->use;

    switch (extra) {
    case MM_EXTRA_OWNER:
        return text(row->entry.owner);
    case MM_EXTRA_OWNER_NAME:
        return text(row->owner_name);
    case MM_EXTRA_SIZE:
        return number(row->entry.size == MM_CATALOG_NO_SIZE ? MM_CELL_NONE : row->entry.size);
    case MM_EXTRA_CREATED:
        return number(row->entry.created_ms);
    case MM_EXTRA_STATUS:
        return text(row->entry.status);
    case MM_EXTRA_LOCATION:
        return text(row->entry.location);
    case MM_EXTRA_REGULAR_VIEWS:
        return number(difference(use->views, use->machine_views));
    case MM_EXTRA_REGULAR_DOWNLOADS:
        return number(difference(use->downloads, use->machine_downloads));
    case MM_EXTRA_MACHINE_VIEWS:
        return number(use->machine_views);
    case MM_EXTRA_MACHINE_DOWNLOADS:
        return number(use->machine_downloads);
    case MM_EXTRA_UNIQUE_VIEWS:
        return number(of_agent(use->unique_views, use->machine_unique_views, agent));
    case MM_EXTRA_UNIQUE_DOWNLOADS:
        return number(of_agent(use->unique_downloads, use->machine_unique_downloads, agent));
    case MM_EXTRA_UNIQUE_INVESTIGATIONS:
        return number(of_agent(use->unique_investigations, use->machine_unique_investigations, agent));
    case MM_EXTRA_MACHINE_UNIQUE_DOWNLOADS:
        return number(use->machine_unique_downloads);
    case MM_EXTRA_MACHINE_UNIQUE_INVESTIGATIONS:
        return number(use->machine_unique_investigations);
    }
    return text(NULL);
}

static mm_cell_t cell(unsigned source, const mm_route_t *route, const char *type, const mm_page_row_t *row)
{
    const mm_use_t *use = row->use;

    switch (source) {
    case DAY:
        return number(use->day_ms);
    case MONTH:
        return text(row->month);
    case TYPE:
        return text(row->type ? row->type : type);
    case ID:
        return text(use->id);
    case NAME:
        return text(row->entry.name);
    case USER:
        return text(use->user);
    case USER_NAME:
        return text(row->user_name);
    case VIEWS:
        return number(of_agent(use->views, use->machine_views, route->agent));
    case DOWNLOADS:
        return number(of_agent(use->downloads, use->machine_downloads, route->agent));
    case LAST_VIEWED:
        return number(use->last_viewed_ms);
    case LAST_DOWNLOADED:
        return number(use->last_downloaded_ms);
    default:
        return source >= ANCESTORS ? row->ancestors[source - ANCESTORS]
                                   : extra_cell((mm_extra_t)(source - EXTRA), route->agent, row);
    }
}

void mm_columns_fill(const mm_columns_t *columns, const mm_route_t *route, const mm_page_t *page, size_t row,
                     mm_cell_t *cells)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (columns->sources[i] < PARENT_TYPE || columns->sources[i] >= EXTRA) {
            cells[i] = cell(columns->sources[i], route, page->type, &page->rows[row]);
        }
    }
}

void mm_columns_fill_parents(const mm_columns_t *columns, const mm_parent_t *parents, size_t n, const char **pieces,
                             mm_cell_t *cells)
{
    for (size_t i = 0; i < n; i++) {
        pieces[i] = parents[i].type;
        pieces[n + i] = parents[i].id;
        pieces[2 * n + i] = parents[i].name;
    }
    for (size_t i = 0; i < 3; i++) {
        cells[columns->parents_at + i].pieces.texts = pieces + i * n;
        cells[columns->parents_at + i].pieces.n = n;
    }
}
