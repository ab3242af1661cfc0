/* A line is walked once, field by field, each up to the text that the format has behind it.
 *
 * httpd escapes quotation marks, backslashes and what is not printable in everything that a visitor has sent, so the
 * first quotation mark without a backslash ends a field in quotation marks, and a field without them ends at the text
 * behind it (a user's name may hold spaces: behind it comes " ["). Bytes are copied only where something is escaped, to
 * a buffer that is as long as all copies of the longest line.
 */
#include "accesslog/logline.h"

#include <string.h>
#include <apr_lib.h>
#include "accesslog/logtime.h"
#include "event/range.h"

/* The request line, unescaped and then decoded, and every other field unescaped. */
#define ROOM (2 * MM_LOGLINE_MAX)

struct mm_logparser {
    const mm_logformat_t *format;
    mm_slashes_t slashes;
    size_t used; /* of room, by this line */
    char room[ROOM];
};

/* What is gathered of one line. */
typedef struct gathered {
    mm_logparser_t *parser;
    mm_logline_t *line;
    mm_logtime_t time;
    mm_bytes_t uri; /* as it was sent */
    bool decoded;   /* the path is httpd's own already */
} gathered_t;

mm_logparser_t *mm_logparser_create(const mm_logformat_t *format, mm_slashes_t slashes, apr_pool_t *pool)
{
    mm_logparser_t *parser = apr_palloc(pool, sizeof(*parser));

    parser->format = format;
    parser->slashes = slashes;
    parser->used = 0;
    return parser;
}

/* --- fields --------------------------------------------------------------------------------------------------------
 */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One escape behind its backslash, as ap_escape_logitem writes it; *at moves behind it. */
static char unescape_one(const char **at, const char *end)
{
    static const char letters[] = "bnrtv", bytes[] = "\b\n\r\t\v";
    const char c = *(*at)++, *letter = strchr(letters, c);

    if (c == 'x' && end - *at >= 2 && hex((*at)[0]) >= 0 && hex((*at)[1]) >= 0) {
        *at += 2;
        return (char)(hex((*at)[-2]) * 16 + hex((*at)[-1]));
    }
    return c && letter ? bytes[letter - letters] : c;
}

static mm_bytes_t unescape(mm_logparser_t *parser, const char *from, size_t len)
{
    const char *end = from + len;
    mm_bytes_t bytes = {from, len};
    char *to = parser->room + parser->used;

    if (!memchr(from, '\\', len)) {
        return bytes;
    }
    bytes.data = to;
    while (from < end) {
        char c = *from++;

        *to++ = c == '\\' && from < end ? unescape_one(&from, end) : c;
    }
    bytes.len = (size_t)(to - bytes.data);
    parser->used += bytes.len;
    return bytes;
}

/* "-" is what httpd writes for what is not there. */
static mm_bytes_t value(mm_logparser_t *parser, const char *from, size_t len)
{
    return len == 1 && *from == '-' ? mm_bytes_of(NULL) : unescape(parser, from, len);
}

static mm_method_t method_of(const char *name, size_t len)
{
    if (len == 3 && memcmp(name, "GET", 3) == 0) {
        return MM_METHOD_GET;
    }
    if (len == 4 && memcmp(name, "HEAD", 4) == 0) {
        return MM_METHOD_HEAD;
    }
    return len == 4 && memcmp(name, "POST", 4) == 0 ? MM_METHOD_POST : MM_METHOD_OTHER;
}

static void take_protocol(gathered_t *all, const char *from, size_t len)
{
    if (len >= 6 && memcmp(from, "HTTP/2", 6) == 0) {
        all->line->flags |= MM_EVENT_HTTP2;
    }
}

/* METHOD SP URI SP PROTOCOL, in which only the URI can hold a space. */
static void take_request(gathered_t *all, const char *from, size_t len)
{
    mm_bytes_t request = value(all->parser, from, len);
    const char *space = request.len > 0 ? memchr(request.data, ' ', request.len) : NULL, *last, *end;

    if (!space) {
        all->line->method = MM_METHOD_OTHER;
        return;
    }
    end = request.data + request.len;
    last = memrchr(space, ' ', (size_t)(end - space));
    if (last > space && end - last > 5 && memcmp(last + 1, "HTTP/", 5) == 0) {
        take_protocol(all, last + 1, (size_t)(end - last) - 1);
        end = last;
    }
    all->line->method = method_of(request.data, (size_t)(space - request.data));
    all->uri = (mm_bytes_t){space + 1, (size_t)(end - space) - 1};
}

static bool take_number(int64_t *number, const char *from, size_t len)
{
    *number = 0;
    if (len == 1 && *from == '-') {
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (from[i] < '0' || from[i] > '9' || len > 18) {
            return false;
        }
        *number = *number * 10 + (from[i] - '0');
    }
    return len > 0;
}

static const char *take_status(gathered_t *all, const char *from, size_t len)
{
    int64_t number;

    if (len != 3 || !take_number(&number, from, len)) {
        return "its status is no number of three digits";
    }
    all->line->status = (uint16_t)number;
    return NULL;
}

/* An IPv6 address, or the name of a host. A name with a port is another field than the format says. */
static const char *take_address(gathered_t *all, const char *from, size_t len)
{
    if (memchr(from, ':', len)) {
        for (size_t i = 0; i < len && from[i] != '%'; i++) {
            if (!apr_isxdigit(from[i]) && from[i] != ':' && from[i] != '.') {
                return "its address is none; is the format another?";
            }
        }
    }
    if (memchr(from, ' ', len)) {
        return "its address is none; is the format another?";
    }
    all->line->address = value(all->parser, from, len);
    return NULL;
}

static void take_user(gathered_t *all, const char *from, size_t len)
{
    /* %u writes two quotation marks for a name that is empty. */
    if (len != 2 || memcmp(from, "\"\"", 2) != 0) {
        all->line->user = value(all->parser, from, len);
    }
}

static void take_range(gathered_t *all, const char *from, size_t len)
{
    mm_bytes_t range = value(all->parser, from, len);

    all->line->range_start = range.len > 0 ? mm_range_start(range.data, range.len) : MM_RANGE_NONE;
}

static const char *take(gathered_t *all, mm_logfield_t field, const char *from, size_t len)
{
    switch (field) {
    case MM_LOG_HOST:
    case MM_LOG_ADDRESS:
        return take_address(all, from, len);
    case MM_LOG_USER:
        take_user(all, from, len);
        return NULL;
    case MM_LOG_REQUEST:
        take_request(all, from, len);
        return NULL;
    case MM_LOG_METHOD:
        all->line->method = method_of(from, len);
        return NULL;
    case MM_LOG_PATH:
    case MM_LOG_PATH_QUERY:
        all->uri = value(all->parser, from, len);
        all->decoded = true;
        return NULL;
    case MM_LOG_QUERY:
        all->line->query = value(all->parser, from, len);
        return NULL;
    case MM_LOG_STATUS:
    case MM_LOG_FINAL_STATUS:
        return take_status(all, from, len);
    case MM_LOG_BYTES:
        return take_number(&all->line->bytes_out, from, len) ? NULL : "its number of bytes is none";
    case MM_LOG_PROTOCOL:
        take_protocol(all, from, len);
        return NULL;
    case MM_LOG_CONNECTION:
        all->line->flags |= len == 1 && *from == 'X' ? MM_EVENT_ABORTED : 0;
        return NULL;
    case MM_LOG_RANGE:
        take_range(all, from, len);
        return NULL;
    case MM_LOG_AGENT:
        all->line->agent = value(all->parser, from, len);
        return NULL;
    default:
        return NULL;
    }
}

/* --- the line ------------------------------------------------------------------------------------------------------
 */

static bool is_escaped(const char *from, const char *quote)
{
    const char *at = quote;

    while (at > from && at[-1] == '\\') {
        at--;
    }
    return (quote - at) % 2 != 0;
}

/* Where a field ends: at the text that the format has behind it; NULL when that is not there. */
static const char *end_of(const mm_logstep_t *step, const char *from, const char *end)
{
    const char *at = from;

    if (step->until_len == 0) {
        return end;
    }
    while ((at = memchr(at, step->until[0], (size_t)(end - at))) != NULL) {
        bool same = (size_t)(end - at) >= step->until_len && memcmp(at, step->until, step->until_len) == 0;

        if (step->until[0] == '"') {
            if (!is_escaped(from, at)) {
                return same ? at : NULL;
            }
        }
        else if (same) {
            return at;
        }
        at++;
    }
    return NULL;
}

/* A time says itself where it ends. */
static const char *read_time(gathered_t *all, const mm_logstep_t *step, const char *at, const char *end)
{
    at = step->field == MM_LOG_TIME ? mm_logtime_clf(&all->time, at, end)
                                    : mm_logtime_read(&all->time, step->pattern, at, end);
    if (at && ((size_t)(end - at) < step->until_len || memcmp(at, step->until, step->until_len) != 0)) {
        return NULL;
    }
    return at;
}

static const char *walk(gathered_t *all, const char *at, const char *end)
{
    const mm_logformat_t *format = all->parser->format;

    if ((size_t)(end - at) < format->lead_len || memcmp(at, format->lead, format->lead_len) != 0) {
        return "it does not begin as the format says";
    }
    at += format->lead_len;
    for (size_t i = 0; i < format->n; i++) {
        const mm_logstep_t *step = &format->steps[i];
        const char *stop, *wrong;

        if (step->field == MM_LOG_TIME || step->field == MM_LOG_TIME_PART) {
            stop = read_time(all, step, at, end);
            if (!stop) {
                return "its time cannot be read";
            }
        }
        else {
            stop = end_of(step, at, end);
            wrong = stop ? take(all, step->field, at, (size_t)(stop - at)) : "it has not the fields of the format";
            if (wrong) {
                return wrong;
            }
        }
        at = stop + step->until_len;
    }
    return NULL;
}

/* Behind scheme and host, if they were sent, as to a proxy. */
static mm_bytes_t without_host(mm_bytes_t uri)
{
    const char *end = uri.data + uri.len, *at = uri.data;

    while (at < end && (apr_isalnum(*at) || strchr("+-.", *at))) {
        at++;
    }
    if (at == uri.data || end - at < 3 || memcmp(at, "://", 3) != 0) {
        return uri;
    }
    at += 3;
    while (at < end && *at != '/' && *at != '?' && *at != '#') {
        at++;
    }
    return (mm_bytes_t){at, (size_t)(end - at)};
}

static void clean_path(gathered_t *all, mm_bytes_t path)
{
    mm_logparser_t *parser = all->parser;
    char *copy = parser->room + parser->used;

    if (!all->decoded && !mm_logpath_is_clean(path.data, path.len)) {
        memcpy(copy, path.data, path.len);
        path.data = copy;
        parser->used += path.len;
        if (!mm_logpath_clean(copy, &path.len, parser->slashes)) {
            return;
        }
    }
    if (!memchr(path.data, '\0', path.len)) {
        all->line->path = path;
    }
}

static void take_uri(gathered_t *all)
{
    mm_bytes_t uri = all->uri;
    const char *end, *mark;

    if (uri.len > 0 && uri.data[0] != '/' && !all->decoded) {
        uri = without_host(uri);
    }
    if (uri.len == 0 || uri.data[0] != '/') {
        return;
    }
    end = all->decoded ? NULL : memchr(uri.data, '#', uri.len);
    uri.len = end ? (size_t)(end - uri.data) : uri.len;
    mark = memchr(uri.data, '?', uri.len);
    if (mark) {
        all->line->query = (mm_bytes_t){mark + 1, uri.len - (size_t)(mark - uri.data) - 1};
        uri.len = (size_t)(mark - uri.data);
    }
    clean_path(all, uri);
}

const char *mm_logparser_line(mm_logparser_t *parser, const char *text, size_t len, mm_logline_t *line)
{
    gathered_t all = {.parser = parser, .line = line};
    const char *wrong;

    *line = (mm_logline_t){.method = MM_METHOD_GET, .range_start = MM_RANGE_NONE};
    if (len > MM_LOGLINE_MAX) {
        return "it is too long";
    }
    parser->used = 0;
    mm_logtime_init(&all.time);
    wrong = walk(&all, text, text + len);
    if (wrong) {
        return wrong;
    }
    if (!mm_logtime_us(&all.time, &line->time_us)) {
        return "its time is none";
    }
    if (line->status == 206 && !parser->format->has_range) {
        line->range_start = MM_RANGE_UNKNOWN;
    }
    if (line->query.len > 0 && line->query.data[0] == '?') { /* %q writes it */
        line->query.data++;
        line->query.len--;
    }
    take_uri(&all);
    return NULL;
}
