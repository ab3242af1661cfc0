/* Paths against the rules of the sample configurations: the answer is what plain string functions say it must be. And
 * against patterns that ask for trouble: an end, and an id within the path.
 */

#include "fuzz.h"

#include "rules/rules.h"

/* Each pattern beside what it means. */
typedef struct known {
    const char *type, *pattern, *before, *after;
    bool hex;   /* the id is 24 hexadecimal digits; otherwise anything but a slash */
    bool upper; /* which may be capital letters */
} known_t;

static const known_t known[] = {
    {"datasets", "^/datasets/([^/]+)$", "/datasets/", "", false, false},
    {"datasets", "^/api/datasets/([^/]+)/download$", "/api/datasets/", "/download", false, false},
    {"files", "^/files/([0-9a-f]{24})$", "/files/", "", true, false},
    {"files", "^/files/([0-9a-f]{24})/blob$", "/files/", "/blob", true, false},
    {"either", "^/either/([0-9a-fA-F]{24})/x$", "/either/", "/x", true, true},
    {"anything", "^/any/(.+)/end$", "/any/", "/end", false, false},
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

/* Ambiguous and nested repeats, back references, recursion, look-around, \K, an empty capture. */
static const char *const wild[] = {"^/((a+)+)+=",   "(.*)(.*)(.*)(.*)=",      "^/((?:.|a|[^b])*)*=$", "(a?(?1)?b?)=",
                                   "(?=(/.*))\\K",  "((?<=/)[^/]*)",          "(\\w+)\\W+\\1",        "(a*)*|(b*)+?",
                                   "(?|(a)|(b)|c)", "(?>(?:/[^/]*)+)()(x?)$", "^(?:(?=(.))..)*$"};
#define N_WILD (sizeof(wild) / sizeof(wild[0]))

static mm_rules_t *demo, *trouble[N_WILD];

static void prepare(void)
{
    apr_pool_t *pool = fuzz_pool();

    demo = mm_rules_create(pool);
    for (size_t i = 0; i < N_KNOWN; i++) {
        mm_action_t action = *known[i].after ? MM_ACTION_DOWNLOAD : MM_ACTION_VIEW;
        HOLDS(mm_rules_add(demo, known[i].type, action, known[i].pattern, NULL) == APR_SUCCESS);
    }
    for (size_t i = 0; i < N_WILD; i++) {
        trouble[i] = mm_rules_create(pool);
        HOLDS(mm_rules_add(trouble[i], "t", MM_ACTION_VIEW, wild[i], NULL) == APR_SUCCESS);
    }
}

static bool is_id(const known_t *rule, const char *id, size_t len)
{
    if (!rule->hex) {
        return len > 0 && (strcmp(rule->type, "anything") == 0 || !memchr(id, '/', len));
    }
    for (size_t i = 0; i < len; i++) {
        if (!(id[i] >= '0' && id[i] <= '9') && !(id[i] >= 'a' && id[i] <= 'f') &&
            !(rule->upper && id[i] >= 'A' && id[i] <= 'F')) {
            return false;
        }
    }
    return len == 24;
}

/* The rule that must match, or NULL; *id is where. */
static const known_t *expected(const char *path, size_t len, mm_bytes_t *id)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        size_t before = strlen(known[i].before), after = strlen(known[i].after);
        if (len >= before + after && memcmp(path, known[i].before, before) == 0 &&
            memcmp(path + len - after, known[i].after, after) == 0 &&
            is_id(&known[i], path + before, len - before - after)) {
            id->data = path + before;
            id->len = len - before - after;
            return &known[i];
        }
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mm_match_t match;
    mm_bytes_t id;

    if (!demo) {
        prepare();
    }
    /* A copy of exactly this size, so that a byte read behind it is noticed. */
    char *path = malloc(size + 1);
    HOLDS(path);
    path[0] = '\0';
    if (size > 0) {
        path = realloc(path, size);
        HOLDS(path);
        memcpy(path, data, size);
    }
    const known_t *rule = expected(path, size, &id);
    HOLDS(mm_rules_match(demo, path, size, &match) == (rule != NULL));
    if (rule) {
        HOLDS(strcmp(match.type, rule->type) == 0 && match.id.data == id.data && match.id.len == id.len);
        HOLDS(match.action == (*rule->after ? MM_ACTION_DOWNLOAD : MM_ACTION_VIEW));
    }
    for (size_t i = 0; i < N_WILD; i++) {
        if (mm_rules_match(trouble[i], path, size, &match)) {
            HOLDS(match.id.len > 0 && match.id.data >= path && match.id.data + match.id.len <= path + size);
        }
    }
    free(path);
    return 0;
}
