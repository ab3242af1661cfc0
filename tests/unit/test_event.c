/* The fact and its byte form. */
#include "unit.h"

#include "event/event.h"

#define B(text) ((mm_bytes_t){text, sizeof(text) - 1})

static mm_event_t simple(void)
{
    mm_event_t e = {0};

    e.action = MM_ACTION_VIEW;
    e.source = MM_SOURCE_REQUEST;
    e.method = MM_METHOD_GET;
    e.status = 200;
    e.time_us = 1700000000123456;
    e.range_start = MM_RANGE_NONE;
    e.type = B("datasets");
    e.id = B("abc");
    return e;
}

static void assert_bytes(const mm_bytes_t *a, const mm_bytes_t *b)
{
    assert_int_equal(a->len, b->len);
    if (a->len > 0) {
        assert_memory_equal(a->data, b->data, a->len);
    }
}

static void assert_same(const mm_event_t *a, const mm_event_t *b)
{
    assert_int_equal(a->action, b->action);
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->method, b->method);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->flags, b->flags);
    assert_true(a->time_us == b->time_us);
    assert_true(a->range_start == b->range_start);
    assert_true(a->bytes_out == b->bytes_out);
    assert_bytes(&a->type, &b->type);
    assert_bytes(&a->id, &b->id);
    assert_bytes(&a->user, &b->user);
    assert_bytes(&a->session, &b->session);
    assert_bytes(&a->address, &b->address);
    assert_bytes(&a->agent, &b->agent);
    assert_bytes(&a->class_mark, &b->class_mark);
    assert_bytes(&a->via, &b->via);
    assert_bytes(&a->identity, &b->identity);
}

static void round_trip(const mm_event_t *event)
{
    uint8_t buf[MM_EVENT_ENCODED_MAX];
    mm_event_t back;
    mm_err_t err = {0};
    size_t len;

    assert_int_equal(mm_event_check(event, &err), APR_SUCCESS);
    len = mm_event_encode(event, buf);
    assert_in_range(len, 1, MM_EVENT_ENCODED_MAX);
    assert_int_equal(mm_event_packed_size(event), len + 2);
    if (mm_event_decode(&back, buf, len, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    assert_same(event, &back);
}

/* The bytes are a promise to files on disk: this one was written down by hand. */
static void byte_form(void **state)
{
    static const uint8_t expected[] = {1, 2,    3,    2,    0xC8, 0,    3,    0,    1,    0,    0,   0, 0, 0, 0,
                                       0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0,    1,   0, 0, 0, 0,
                                       0, 0,    1,    1,    0,    'a',  2,    2,    0,    0xFF, 'b', 7, 1, 0, 'm'};
    mm_event_t e = simple();
    uint8_t buf[MM_EVENT_ENCODED_MAX];

    (void)state;
    e.action = MM_ACTION_DOWNLOAD;
    e.source = MM_SOURCE_IMPORT;
    e.method = MM_METHOD_HEAD;
    e.flags = MM_EVENT_ABORTED | MM_EVENT_HTTP2;
    e.time_us = 1;
    e.range_start = MM_RANGE_UNKNOWN;
    e.bytes_out = 256;
    e.type = B("a");
    e.id = B("\xFF"
             "b");
    e.class_mark = B("m");
    assert_int_equal(mm_event_encode(&e, buf), sizeof(expected));
    assert_memory_equal(buf, expected, sizeof(expected));
}

static void round_trips(void **state)
{
    static char longest[MM_EVENT_ID_MAX];
    mm_event_t e = simple();

    (void)state;
    round_trip(&e);
    e.user = B("\xE9 'x' $ \n");
    e.session = B("s");
    e.address = B("2001:db8::1");
    e.agent = B("curl/8");
    e.class_mark = B("machine-2_x");
    e.via = B("downloads.links:_id:fileId");
    e.identity = B("clowder:x");
    e.bytes_out = INT64_MAX;
    e.range_start = INT64_MAX;
    e.time_us = INT64_MAX;
    e.flags = UINT16_MAX;
    e.status = UINT16_MAX;
    round_trip(&e);
    memset(longest, 'x', sizeof(longest));
    e.type = (mm_bytes_t){longest, MM_EVENT_TYPE_MAX};
    e.id = (mm_bytes_t){longest, MM_EVENT_ID_MAX};
    e.user = (mm_bytes_t){longest, MM_EVENT_USER_MAX};
    e.session = (mm_bytes_t){longest, MM_EVENT_SESSION_MAX};
    e.address = (mm_bytes_t){longest, MM_EVENT_ADDRESS_MAX};
    e.agent = (mm_bytes_t){longest, MM_EVENT_AGENT_MAX};
    e.class_mark = (mm_bytes_t){longest, MM_EVENT_CLASS_MAX};
    e.via = (mm_bytes_t){longest, MM_EVENT_VIA_MAX};
    e.identity = (mm_bytes_t){longest, MM_EVENT_IDENTITY_MAX};
    round_trip(&e);
}

static void refused(const mm_event_t *event, const char *word)
{
    mm_err_t err = {0};

    assert_int_equal(mm_event_check(event, &err), APR_EINVAL);
    if (strstr(err.text, word) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, word);
    }
}

static void refuses_numbers(void **state)
{
    mm_event_t e;

    (void)state;
#define WITH(member, value, word) (e = simple(), e.member = (value), refused(&e, word))
    WITH(action, (mm_action_t)0, "action");
    WITH(action, (mm_action_t)3, "action");
    WITH(source, (mm_source_t)0, "source");
    WITH(source, (mm_source_t)4, "source");
    WITH(method, (mm_method_t)0, "method");
    WITH(method, (mm_method_t)5, "method");
    WITH(time_us, -1, "time");
    WITH(range_start, -3, "range");
    WITH(bytes_out, -1, "bytes");
}

static void refuses_strings(void **state)
{
    static char longest[MM_EVENT_ID_MAX + 1];
    mm_event_t e;

    (void)state;
    memset(longest, 'x', sizeof(longest));
    WITH(type, B(""), "type");
    WITH(type, B("Data"), "type");
    WITH(type, ((mm_bytes_t){longest, MM_EVENT_TYPE_MAX + 1}), "type");
    WITH(id, B(""), "id");
    WITH(id, B("a\0b"), "id");
    WITH(id, ((mm_bytes_t){longest, MM_EVENT_ID_MAX + 1}), "id");
    WITH(user, B("a\0"), "user");
    WITH(user, ((mm_bytes_t){longest, MM_EVENT_USER_MAX + 1}), "user");
    WITH(session, ((mm_bytes_t){longest, MM_EVENT_SESSION_MAX + 1}), "session");
    WITH(address, ((mm_bytes_t){longest, MM_EVENT_ADDRESS_MAX + 1}), "address");
    WITH(agent, ((mm_bytes_t){longest, MM_EVENT_AGENT_MAX + 1}), "agent");
    WITH(agent, B("\0"), "agent");
    WITH(class_mark, ((mm_bytes_t){longest, MM_EVENT_CLASS_MAX + 1}), "class");
    WITH(class_mark, B("Robot"), "class");
    WITH(via, ((mm_bytes_t){longest, MM_EVENT_VIA_MAX + 1}), "via");
    WITH(identity, ((mm_bytes_t){longest, MM_EVENT_IDENTITY_MAX + 1}), "identity");
    WITH(class_mark, B("a b"), "class");
#undef WITH
}

/* No prefix of an event is an event, and none makes the decoder read on. */
static void every_truncation(void **state)
{
    mm_event_t e = simple(), back;
    uint8_t buf[MM_EVENT_ENCODED_MAX];
    mm_err_t err;
    size_t len, i;

    (void)state;
    len = mm_event_encode(&e, buf);
    for (i = 0; i < len; i++) {
        uint8_t *copy = malloc(i + 1);

        memcpy(copy, buf, i);
        assert_int_equal(mm_event_decode(&back, copy, i, &err), APR_EINVAL);
        free(copy);
    }
}

static void decode_refuses(void **state)
{
    mm_event_t e = simple(), back;
    uint8_t buf[MM_EVENT_ENCODED_MAX + 16];
    mm_err_t err = {0};
    size_t len = mm_event_encode(&e, buf);

    (void)state;
    buf[0] = 3;
    assert_int_equal(mm_event_decode(&back, buf, len, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "version 3"));
    buf[0] = 2; /* is that of lists */
    assert_int_equal(mm_event_decode(&back, buf, len, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "go together"));
    buf[0] = 1;
    memcpy(buf + len, "\x02\x01\x00x", 4);
    assert_int_equal(mm_event_decode(&back, buf, len + 4, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "two fields id"));
    memcpy(buf + len, "\x03\x00\x00\x03\x00\x00", 6);
    assert_int_equal(mm_event_decode(&back, buf, len + 6, &err), APR_EINVAL);
    memcpy(buf + len, "\x03\x02\x00x\x00", 5);
    assert_int_equal(mm_event_decode(&back, buf, len + 5, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "user"));
}

/* For who takes a list for an id, it is of a newer version. */
static void lists_have_a_version_of_their_own(void **state)
{
    mm_event_t e = simple(), back;
    uint8_t buf[MM_EVENT_ENCODED_MAX];
    size_t len;

    (void)state;
    e.flags = MM_EVENT_LIST | MM_EVENT_HTTP2;
    e.id = B("a,b");
    len = mm_event_encode(&e, buf);
    assert_int_equal(buf[0], 2);
    assert_int_equal(mm_event_decode(&back, buf, len, NULL), APR_SUCCESS);
    assert_same(&e, &back);
    buf[0] = 1;
    assert_int_equal(mm_event_decode(&back, buf, len, NULL), APR_EINVAL);
}

/* A field of a later version is skipped, also when it comes twice. */
static void decode_skips_unknown_fields(void **state)
{
    mm_event_t e = simple(), back;
    uint8_t buf[MM_EVENT_ENCODED_MAX + 16];
    size_t len = mm_event_encode(&e, buf);

    (void)state;
    memcpy(buf + len, "\xC8\x01\x00x\xC8\x00\x00\x03\x01\x00u", 11);
    e.user = B("u");
    assert_int_equal(mm_event_decode(&back, buf, len + 11, NULL), APR_SUCCESS);
    assert_same(&e, &back);
}

static void packs(void **state)
{
    mm_event_t a = simple(), b = simple(), back;
    uint8_t buf[3 * (MM_EVENT_ENCODED_MAX + 2)];
    const uint8_t *data = buf;
    mm_err_t err = {0};
    size_t first, len;

    (void)state;
    b.id = B("other");
    first = mm_event_pack(&a, buf);
    assert_int_equal(first, mm_event_packed_size(&a));
    len = first + mm_event_pack(&b, buf + first);
    assert_int_equal(mm_event_unpack(&back, &data, &len, &err), APR_SUCCESS);
    assert_same(&a, &back);
    assert_int_equal(mm_event_unpack(&back, &data, &len, &err), APR_SUCCESS);
    assert_same(&b, &back);
    assert_int_equal(mm_event_unpack(&back, &data, &len, &err), APR_EOF);
    assert_int_equal(len, 0);

    /* An event that cannot be read costs itself only. */
    data = buf;
    len = first + mm_event_pack(&b, buf + first);
    buf[2] = 9;
    assert_int_equal(mm_event_unpack(&back, &data, &len, &err), APR_EGENERAL);
    assert_int_equal(err.status, APR_EGENERAL);
    assert_int_equal(mm_event_unpack(&back, &data, &len, NULL), APR_SUCCESS);
    assert_same(&b, &back);
}

static void unpack_refuses_what_is_torn(void **state)
{
    mm_event_t e = simple(), back;
    uint8_t buf[MM_EVENT_ENCODED_MAX + 2];
    size_t whole = mm_event_pack(&e, buf), i;
    mm_err_t err;

    (void)state;
    for (i = 1; i < whole; i++) {
        uint8_t *copy = malloc(i);
        const uint8_t *data = copy;
        size_t len = i;

        memcpy(copy, buf, i);
        assert_int_equal(mm_event_unpack(&back, &data, &len, &err), APR_EINVAL);
        free(copy);
    }
    {
        static const uint8_t empty[] = {0, 0};
        const uint8_t *data = empty;
        size_t len = 2;

        assert_int_equal(mm_event_unpack(&back, &data, &len, &err), APR_EGENERAL);
        assert_int_equal(mm_event_unpack(&back, &data, &len, &err), APR_EOF);
    }
}

static void actions(void **state)
{
    mm_action_t action = MM_ACTION_VIEW;

    (void)state;
    assert_string_equal(mm_action_name(MM_ACTION_VIEW), "view");
    assert_string_equal(mm_action_name(MM_ACTION_DOWNLOAD), "download");
    assert_true(mm_action_parse(&action, "download", 8));
    assert_int_equal(action, MM_ACTION_DOWNLOAD);
    assert_true(mm_action_parse(&action, "viewer", 4));
    assert_int_equal(action, MM_ACTION_VIEW);
    assert_false(mm_action_parse(&action, "viewer", 6));
    assert_false(mm_action_parse(&action, "View", 4));
    assert_false(mm_action_parse(&action, "downloads", 9));
    assert_false(mm_action_parse(&action, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_form),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(refuses_numbers),
        cmocka_unit_test(refuses_strings),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(decode_refuses),
        cmocka_unit_test(lists_have_a_version_of_their_own),
        cmocka_unit_test(decode_skips_unknown_fields),
        cmocka_unit_test(packs),
        cmocka_unit_test(unpack_refuses_what_is_torn),
        cmocka_unit_test(actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
