/* Who sees what: one line for each rule, one column for each kind of requester and server. */
#include "unit.h"
#include "clowder/verdict.h"

/* Columns of what is expected, + or -: nobody in particular and a member, on a private server, on a public one; then
 * the same with strict. */
static const struct {
    mm_clowder_rules_t rules;
    mm_clowder_rank_t rank;
} columns[] = {
    {{.is_public = false}, MM_CLOWDER_ANONYMOUS},
    {{.is_public = false}, MM_CLOWDER_MEMBER},
    {{.is_public = true}, MM_CLOWDER_ANONYMOUS},
    {{.is_public = true}, MM_CLOWDER_MEMBER},
    {{.is_public = false, .strict = true}, MM_CLOWDER_ANONYMOUS},
    {{.is_public = false, .strict = true}, MM_CLOWDER_MEMBER},
    {{.is_public = true, .strict = true}, MM_CLOWDER_ANONYMOUS},
    {{.is_public = true, .strict = true}, MM_CLOWDER_MEMBER},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

typedef struct row {
    const char *rule;
    const char *facts; /* letters, see facts_of; for files: the file, then each dataset behind a space */
    const char *expected;
} row_t;

/* Facts as letters, up to a space. */
static mm_clowder_facts_t facts_of(const char *letters)
{
    size_t len = strcspn(letters, " ");
#define HAS(letter) (memchr(letters, letter, len) != NULL)

    return (mm_clowder_facts_t){.exists = HAS('E'),
                                .owned = HAS('O'),
                                .trashed = HAS('T'),
                                .is_public = HAS('P'),
                                .is_default = HAS('D'),
                                .in_public_space = HAS('S'),
                                .has_role = HAS('R'),
                                .has_public_dataset = HAS('H')};
#undef HAS
}

typedef bool (*sees_fn)(const mm_clowder_rules_t *, mm_clowder_rank_t, const mm_clowder_facts_t *);

static bool sees_file(const mm_clowder_rules_t *rules, mm_clowder_rank_t rank, const char *letters)
{
    mm_clowder_facts_t file = facts_of(letters), datasets[4];
    size_t n = 0;

    for (const char *next = strchr(letters, ' '); next; next = strchr(next + 1, ' ')) {
        datasets[n++] = facts_of(next + 1);
    }
    return mm_clowder_sees_file(rules, rank, &file, datasets, n);
}

static void check(const row_t *rows, size_t n, sees_fn sees)
{
    const mm_clowder_rules_t strict_and_private = {.strict = true};

    for (size_t i = 0; i < n; i++) {
        const mm_clowder_facts_t facts = facts_of(rows[i].facts);
        char found[COLUMNS + 1] = "";

        for (size_t k = 0; k < COLUMNS; k++) {
            bool seen = sees ? sees(&columns[k].rules, columns[k].rank, &facts)
                             : sees_file(&columns[k].rules, columns[k].rank, rows[i].facts);
            found[k] = seen ? '+' : '-';
        }
        if (strcmp(found, rows[i].expected) != 0) {
            fail_msg("%s (%s): %s, not %s", rows[i].rule, rows[i].facts, found, rows[i].expected);
        }
        assert_true(sees ? sees(&strict_and_private, MM_CLOWDER_SUPER, &facts)
                         : sees_file(&strict_and_private, MM_CLOWDER_SUPER, rows[i].facts));
    }
}
#define CHECK(rows, sees) check(rows, sizeof(rows) / sizeof((rows)[0]), sees)

static void datasets(void **state)
{
    static const row_t rows[] = {
        {"is gone", "", "--++----"},
        {"private, of others", "E", "--++--++"},
        {"its owner's", "EO", "-+++-+++"},
        {"its owner's, in the trash", "EOT", "-+++-+++"},
        {"status PUBLIC", "EP", "++++++++"},
        {"PUBLIC in the trash: only nobody sees it, and public servers do", "EPT", "+-++----"},
        {"DEFAULT in a private space", "ED", "--++--++"},
        {"DEFAULT in a public space", "EDS", "++++++++"},
        {"PRIVATE in a public space", "ES", "--++--++"},
        {"DEFAULT in a public space, in the trash", "EDST", "+-++----"},
        {"a role in its space", "ER", "-+++-+++"},
        {"a role, in the trash", "ERT", "--++----"},
        {"a role matters also where it is PRIVATE in a public space", "ERS", "-+++-+++"},
    };

    (void)state;
    CHECK(rows, mm_clowder_sees_dataset);
}

static void collections(void **state)
{
    static const row_t rows[] = {
        {"is gone", "", "--++----"},
        {"of others", "E", "--++--++"},
        {"its owner's", "EO", "-+++-+++"},
        {"its owner's, in the trash", "EOT", "-+++-+++"},
        {"in a public space", "ES", "++++++++"},
        {"in a public space, in the trash", "EST", "+-++----"},
        {"a status says nothing", "EP", "--++--++"},
        {"a role in its space", "ER", "-+++-+++"},
        {"a role, in the trash", "ERT", "--++----"},
    };

    (void)state;
    CHECK(rows, mm_clowder_sees_collection);
}

static void spaces(void **state)
{
    static const row_t rows[] = {
        {"is gone", "", "--++----"},
        {"is gone, but a role is left", "R", "--++----"},
        {"private", "E", "--++--++"},
        {"its creator's", "EO", "-+++-+++"},
        {"PUBLIC", "EP", "++++++++"},
        {"a role in it", "ER", "-+++-+++"},
        {"holds a public dataset", "EH", "+-++--++"},
    };

    (void)state;
    CHECK(rows, mm_clowder_sees_space);
}

static void files(void **state)
{
    static const row_t rows[] = {
        {"is gone, and in nothing", "", "--++----"},
        {"is gone, but an open dataset lists it", " EP", "++++----"},
        {"in nothing", "E", "--++--++"},
        {"its owner's, in nothing", "EO", "-+++-+++"},
        {"in a private dataset", "E E", "--++--++"},
        {"its owner's, in a private dataset", "EO E", "-+++-+++"},
        {"the dataset's owner is nothing to it", "E EO", "--++--++"},
        {"in an open dataset", "E EP", "++++++++"},
        {"in a dataset as open as its space", "E EDS", "++++++++"},
        {"the first is open", "E EP E", "++++-+++"},
        {"the first is not open, another is", "E E EP", "-+++-+++"},
        {"all are open", "E EP EP", "++++++++"},
        {"in an open dataset in the trash", "E EPT", "++++----"},
        {"its owner's, in the trash", "EO EPT", "++++-+++"},
        {"one of two is in the trash, the other open", "E EPT EP", "++++-+++"},
        {"one of two is in the trash, the other private", "E EPT E", "++++--++"},
        {"a role in its dataset's space", "E ER", "-+++-+++"},
        {"a role in that of the second", "E E ER", "-+++-+++"},
        {"a role, in the trash", "E ERT", "-+++----"},
    };

    (void)state;
    CHECK(rows, NULL);
}

static bool sees_person(mm_clowder_people_t people, bool is_public, bool strict, mm_clowder_rank_t rank,
                        const char *letters)
{
    const mm_clowder_rules_t rules = {.is_public = is_public, .strict = strict, .people = people};
    const mm_clowder_facts_t facts = facts_of(letters);

    return mm_clowder_sees_person(&rules, rank, &facts);
}

static void people(void **state)
{
    static const row_t pages[] = {{"exists", "E", "-+-+---+"},
                                  {"does not", "", "--------"},
                                  {"oneself", "EO", "-+-+-+-+"},
                                  {"is in some space", "ER", "-+-+-+-+"}};
    static const row_t entries[] = {{"exists", "E", "--++---+"},
                                    {"does not", "", "--------"},
                                    {"oneself", "EO", "-+++-+-+"},
                                    {"is in some space", "ER", "-+++-+-+"}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < COLUMNS; k++) {
            const mm_clowder_rules_t *rules = &columns[k].rules;

            assert_int_equal(
                sees_person(MM_CLOWDER_PEOPLE_PAGE, rules->is_public, rules->strict, columns[k].rank, pages[i].facts),
                pages[i].expected[k] == '+');
            assert_int_equal(
                sees_person(MM_CLOWDER_PEOPLE_API, rules->is_public, rules->strict, columns[k].rank, entries[i].facts),
                entries[i].expected[k] == '+');
        }
    }
    assert_true(sees_person(MM_CLOWDER_PEOPLE_PAGE, false, true, MM_CLOWDER_SUPER, ""));
    assert_true(sees_person(MM_CLOWDER_PEOPLE_SELF, false, false, MM_CLOWDER_MEMBER, "EO"));
    assert_false(sees_person(MM_CLOWDER_PEOPLE_SELF, true, false, MM_CLOWDER_SUPER, "ER"));
    assert_false(sees_person(MM_CLOWDER_PEOPLE_NONE, true, false, MM_CLOWDER_SUPER, "EO"));
}

static void the_gate(void **state)
{
    (void)state;
    assert_true(mm_clowder_gate(MM_CLOWDER_ACTIVE, 2, 1));
    assert_true(mm_clowder_gate(MM_CLOWDER_READ_ONLY, 2, 1));
    assert_true(mm_clowder_gate(MM_CLOWDER_ADMIN, 2, 1));
    assert_false(mm_clowder_gate(MM_CLOWDER_INACTIVE, 2, 1));
    assert_false(mm_clowder_gate(MM_CLOWDER_ACTIVE, 1, 1)); /* not of this version */
    assert_false(mm_clowder_gate(MM_CLOWDER_ADMIN, MM_CLOWDER_NEVER, 1));
    assert_false(mm_clowder_gate(MM_CLOWDER_ADMIN, INT64_MAX, INT64_MAX)); /* there are none */
}

static void facts_are_needed_where_they_matter(void **state)
{
    const mm_clowder_rules_t open = {.is_public = true}, strict = {.is_public = true, .strict = true}, closed = {0};

    (void)state;
    assert_false(mm_clowder_needs_facts(&open, MM_CLOWDER_ANONYMOUS));
    assert_true(mm_clowder_needs_facts(&strict, MM_CLOWDER_MEMBER));
    assert_true(mm_clowder_needs_facts(&closed, MM_CLOWDER_ANONYMOUS));
    assert_false(mm_clowder_needs_facts(&closed, MM_CLOWDER_SUPER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datasets),
        cmocka_unit_test(collections),
        cmocka_unit_test(spaces),
        cmocka_unit_test(files),
        cmocka_unit_test(people),
        cmocka_unit_test(the_gate),
        cmocka_unit_test(facts_are_needed_where_they_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
