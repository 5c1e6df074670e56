/*
 * Records: the tables of kinds, ids, JSON text, hostile input, rows and the hash.
 */
#include "test_record.h"

Test(record, tables_are_whole) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct kind_spec *spec = &record_kinds[k];
        size_t metadata_count = 0;
        cr_assert(spec->kind == (enum record_kind)k);
        cr_assert(spec->field_count <= RECORD_FIELDS_MAX);
        cr_assert_str_eq(spec->fields[0].name, "id");
        for (size_t i = 0; i < spec->field_count; i++) {
            const struct field_spec *field = &spec->fields[i];
            cr_assert(record_field_index(spec, field->name) == (int)i, "%s is unique", field->name);
            cr_assert(field->help != NULL && field->help[0] != '\0', "%s has help", field->name);
            cr_assert((field->choices != NULL) == (field->type == FIELD_TYPE_ENUM));
            metadata_count += field->type == FIELD_TYPE_METADATA;
        }
        cr_assert(metadata_count == 1);
        int time = record_field_index(spec, spec->time_field);
        cr_assert(time > 0 && spec->fields[time].type == FIELD_TYPE_TIME);
        cr_assert(record_kind_find(spec->collection, strlen(spec->collection)) == spec);
    }
    cr_assert(record_kind_find("surveys/1", 7) == &record_kinds[KIND_SURVEY]);
    cr_assert(record_kind_find("surveys", 6) == NULL);
    cr_assert(record_kind_find("", 0) == NULL);
    cr_assert(record_field_index(&record_kinds[KIND_SURVEY], "created_at") == -1);
}

/* Text of `count` repetitions; the caller frees it. */
static char *repeat(const char *piece, size_t count) {
    size_t length = strlen(piece);
    char *text = malloc(length * count + 1);
    cr_assert(text != NULL);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, piece, length);
    text[length * count] = '\0';
    return text;
}

Test(record, ids_have_1_to_128_code_points_and_no_controls) {
    static const char *const good[] = {"1", "...", ".a", "a/b", " ", "\u00a0", "🙂", "a%2F?#"};
    static const char *const bad[] = {"",
                                      ".",
                                      "..",
                                      "a\n",
                                      "\x01",
                                      "\x1f",
                                      "\x7f",
                                      "\xc2\x80",
                                      "\xc2\x9f",
                                      "\xff",
                                      "\xc3",
                                      "\xc3z",
                                      "\xe2\x82z",
                                      "\xc0\xaf",
                                      "\xe0\x80\xaf",
                                      "\xed\xa0\x80",
                                      "\x80",
                                      "a\xf5\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf0\x80\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(record_id_is_valid(good[i], strlen(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect(!record_id_is_valid(bad[i], strlen(bad[i])), "bad %zu", i);
    cr_expect(!record_id_is_valid("a\0b", 3));

    static const char *const points[] = {"a", "ã", "€", "🙂"};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        char *longest = repeat(points[i], 128), *longer = repeat(points[i], 129);
        cr_expect(record_id_is_valid(longest, strlen(longest)));
        cr_expect(!record_id_is_valid(longer, strlen(longer)));
        free(longest);
        free(longer);
    }
}

Test(record, made_ids_are_version_7_and_in_order) {
    char last[37] = "", id[37];
    int64_t before_ms = timestamp_now() / 1000;
    size_t in_order = 0;
    for (int i = 0; i < 1000; i++) {
        record_make_id(id);
        unsigned long long high, low;
        unsigned version, variant;
        cr_assert(strlen(id) == 36 && strspn(id, "0123456789abcdef-") == 36);
        cr_assert(sscanf(id, "%8llx-%4llx-%1x%*3x-%1x", &high, &low, &version, &variant) == 4);
        cr_assert(version == 7 && variant >= 8 && variant <= 11, "%s", id);
        int64_t ms = (int64_t)(high << 16 | low);
        cr_assert(ms >= before_ms && ms <= timestamp_now() / 1000, "%s", id);
        cr_assert(strcmp(id, last) != 0);
        in_order += strcmp(id, last) > 0 || strncmp(id, last, 18) == 0;
        memcpy(last, id, sizeof last);
    }
    cr_assert(in_order == 1000, "%zu of 1000 in order", in_order);
}

Test(record, an_id_is_made_where_none_is_given_and_none_required) {
    JSON_SCOPED *json = json_of("{\"opened_at\": \"2024-03-01T12:00:00Z\"}");
    RECORD_SCOPED record = {0};
    must_parse(&record_kinds[KIND_INTERACTION], json, context_of(RECORD_BULK), &record);
    cr_assert(strlen(record_id(&record)) == 36 && record_id(&record)[14] == '7');
}

Test(record, an_id_from_outside_the_body_is_checked_too) {
    JSON_SCOPED *json = json_of("{\"opened_at\": \"2024-03-01T12:00:00Z\"}");
    struct record_context context = context_of(RECORD_POST_ONE);
    context.default_id = "a\xff";
    RECORD_SCOPED record = {0};
    PROBLEM_SCOPED problem = {0};
    cr_assert(record_parse(&record_kinds[KIND_INTERACTION], json, &context, &record, &problem) ==
              ERR_INVALID_RECORD);
    cr_assert(problem.error_count == 1);
    cr_assert_str_eq(problem.errors[0].at, "/id");
}

Test(record, text_that_is_not_utf8_is_malformed) {
    static const char *const texts[] = {"{\"id\":\"\xff\"}",
                                        "{\"id\":\"\xc3\"}",
                                        "{\"id\":\"\xc0\xaf\"}",
                                        "{\"\xed\xa0\x80\":1}",
                                        "{\"id\":\"\xf4\x90\x80\x80\"}",
                                        "\xfe\xff{}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *json = NULL;
        PROBLEM_SCOPED problem = {0};
        cr_expect(record_json_parse(texts[i], strlen(texts[i]), &json, &problem) ==
                      ERR_MALFORMED_JSON,
                  "text %zu", i);
        cr_expect(strstr(problem.detail, "line 1, column ") == problem.detail, "%s",
                  problem.detail);
    }
    json_t *json = NULL;
    cr_expect(record_json_parse("{}\0", 3, &json, NULL) == ERR_MALFORMED_JSON);
}

/* Every prefix of a text, and every text with one byte changed, is either JSON or refused. */
Test(record, damaged_text_never_harms) {
    const char *text = "{\"id\":\"\\u00e3\\ud83d\\ude42\xc3\xa3\",\"type\":\"nps\",\"score\":9,"
                       "\"metadata\":{\"a\":[1.5e3,-0,null,true]},\"answered_at\":"
                       "\"2024-03-01T12:00:00Z\"}";
    size_t length = strlen(text), parsed = 0;
    struct record_context context = context_of(RECORD_POST_ONE);
    for (size_t at = 0; at < length; at++) {
        for (int byte = -1; byte < 256; byte++) {
            char *copy = malloc(length); /* no NUL behind it: reading on would be found */
            memcpy(copy, text, length);
            if (byte >= 0)
                copy[at] = (char)byte;
            JSON_SCOPED *json = NULL;
            RECORD_SCOPED record = {0};
            PROBLEM_SCOPED problem = {0};
            if (record_json_parse(copy, byte >= 0 ? length : at, &json, &problem) == ERR_OK) {
                parsed++;
                (void)!record_parse(&record_kinds[KIND_SURVEY], json, &context, &record, &problem);
            }
            free(copy);
        }
    }
    cr_assert(parsed > 1000);
}

Test(record, huge_texts_are_refused_in_bounds) {
    enum { MIB_10 = 10 * 1024 * 1024 };
    char *huge = repeat("a", MIB_10);
    JSON_SCOPED *json = json_object();
    static const char *const names[] = {"id", "type", "comment", "channel", "sent_at"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_object_set_new(json, names[i], json_string(huge));
    json_object_set_new(json, huge, json_null());
    char *wide = repeat("ã", MIB_10 / 2);
    json_object_set_new(json, wide, json_null());
    free(wide);
    JSON_SCOPED *metadata = json_object();
    json_object_set_new(metadata, "a", json_string(huge));
    json_object_set(json, "metadata", metadata);
    free(huge);

    struct record_context context = context_of(RECORD_BULK);
    RECORD_SCOPED record = {0};
    PROBLEM_SCOPED problem = {0};
    cr_assert(record_parse(&record_kinds[KIND_SURVEY], json, &context, &record, &problem) ==
              ERR_INVALID_RECORD);
    size_t bytes = 0;
    for (size_t i = 0; i < problem.error_count; i++)
        bytes += strlen(problem.errors[i].at) + strlen(problem.errors[i].detail);
    cr_assert(problem.error_count == 9 && bytes < 4096, "%zu errors, %zu bytes",
              problem.error_count, bytes);
}

Test(record, a_hundred_thousand_unknown_fields_leave_room_for_the_known) {
    JSON_SCOPED *json = json_object();
    for (int i = 0; i < 100000; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        json_object_set_new(json, name, json_integer(i));
    }
    json_object_set_new(json, "type", json_string("nps"));
    json_object_set_new(json, "score", json_integer(11));
    struct record_context context = context_of(RECORD_POST_ONE);
    RECORD_SCOPED record = {0};
    PROBLEM_SCOPED problem = {0};
    cr_assert(record_parse(&record_kinds[KIND_SURVEY], json, &context, &record, &problem) ==
              ERR_INVALID_RECORD);
    cr_assert(problem.error_count == PROBLEM_ERRORS_MAX);
    cr_assert_str_eq(problem.errors[0].at, "/score");
}

Test(record, deep_nesting_is_refused_in_bounds) {
    static const char *const openings[] = {"[", "{\"a\":"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t depth = 33; depth < 200000; depth = depth * 3) {
            char *text = repeat(openings[i], depth);
            json_t *json = NULL;
            PROBLEM_SCOPED problem = {0};
            cr_assert(record_json_parse(text, strlen(text), &json, &problem) == ERR_MALFORMED_JSON);
            free(text);
        }
    }
    /* Metadata that did not come through record_json_parse. */
    json_t *inner = json_object();
    for (int i = 0; i < 1000; i++) {
        json_t *outer = json_object();
        json_object_set_new(outer, "a", inner);
        inner = outer;
    }
    JSON_SCOPED *json = json_of("{\"opened_at\": \"2024-03-01T12:00:00Z\"}");
    json_object_set_new(json, "metadata", inner);
    struct record_context context = context_of(RECORD_POST_ONE);
    RECORD_SCOPED record = {0};
    PROBLEM_SCOPED problem = {0};
    cr_assert(record_parse(&record_kinds[KIND_INTERACTION], json, &context, &record, &problem) ==
              ERR_INVALID_RECORD);
    cr_assert(problem.error_count == 1);
}

Test(record, nothing_is_written_where_a_record_is_refused) {
    JSON_SCOPED *json = json_of("{\"id\": \"1\", \"metadata\": {}}");
    struct record_context context = context_of(RECORD_BULK);
    struct record record = {.stored = true, .created_us = 42};
    cr_assert(record_parse(&record_kinds[KIND_CUSTOMER], json, &context, &record, NULL) ==
              ERR_INVALID_RECORD);
    cr_assert(record.stored && record.created_us == 42 && record.spec == NULL);
}

static void expect_hash(const char *kind, const char *text, const char *hex) {
    JSON_SCOPED *json = json_of(text);
    RECORD_SCOPED record = {0};
    must_parse(kind_named(kind), json, context_of(RECORD_BULK), &record);
    char found[2 * RECORD_HASH_BYTES + 1];
    for (size_t i = 0; i < RECORD_HASH_BYTES; i++)
        snprintf(found + 2 * i, 3, "%02x", record.hash[i]);
    cr_expect_str_eq(found, hex);
}

/* Hashes are stored, so a later version must compute the same. These were computed with Python's
 * hashlib.blake2b(digest_size=16) over the encoding that hash.c describes. */
Test(record, hashes_are_those_of_the_written_encoding) {
    expect_hash("cancellation",
                "{\"id\":\"x1\",\"customer_id\":\"c1\",\"cancelled_at\":\"2024-03-01T12:00:00Z\","
                "\"voluntary\":false}",
                "771285102b32893cf5ab5b4a48b157b0");
    expect_hash("customer",
                "{\"id\":\"c1\",\"started_at\":\"2024-03-01T12:00:00Z\",\"name\":\"Zoë\","
                "\"metadata\":{\"ã\":-0.1,\"a\":-1,\"\":[null,true,false,{}]}}",
                "0e6ff38fdfefc5723a37c8f29af45d9c");
}

/* The bytes that COPY … TO STDOUT (FORMAT binary) of PostgreSQL 15 gives of the same
 * cancellation_row in an array, but for that type's OID. Types: 23 int4, 25 text, 1184 timestamptz
 * (µs since 2000), 16 bool, 114 json, 17 bytea. */
Test(record, a_row_has_the_bytes_of_postgres_binary_form) {
    JSON_SCOPED *json = json_of("{\"customer_id\":\"c1\",\"cancelled_at\":\"2000-01-01T00:00:01Z\","
                                "\"voluntary\":true,\"id\":\"x1\",\"metadata\":{}}");
    RECORD_SCOPED record = {0};
    must_parse(&record_kinds[KIND_CANCELLATION], json, context_of(RECORD_BULK), &record);
    memset(record.hash, 0xA5, sizeof record.hash);
    BUF_SCOPED rows = {0};
    record_rows_begin(&rows, 0x4001);
    record_rows_add(&rows, &record, 258, 5);
    record_rows_end(&rows, 1);
    static const unsigned char expected[] =
        "\0\0\0\1\0\0\0\0\0\0\x40\1\0\0\0\1\0\0\0\1" /* array of one */
        "\0\0\0\x7B\0\0\0\xA"                        /* bytes, columns */
        "\0\0\0\x17\0\0\0\4\0\0\0\5"                 /* ord */
        "\0\0\0\x17\0\0\0\4\0\0\1\2"                 /* workspace_id */
        "\0\0\0\x19\0\0\0\2x1"                       /* id */
        "\0\0\0\x19\0\0\0\2"                         /* customer_id */
        "c1"
        "\0\0\4\xA0\0\0\0\x8\0\0\0\0\0\xF\x42\x40" /* cancelled_at */
        "\0\0\0\x19\xFF\xFF\xFF\xFF"               /* reason */
        "\0\0\0\x10\0\0\0\1\1"                     /* voluntary */
        "\0\0\0\x19\xFF\xFF\xFF\xFF"               /* comment */
        "\0\0\0\x72\0\0\0\2{}"                     /* metadata */
        "\0\0\0\x11\0\0\0\x10"                     /* content_hash */
        "\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5";
    cr_assert_eq(rows.length, sizeof expected - 1);
    cr_assert_arr_eq(rows.data, expected, sizeof expected - 1);
}

static size_t rows_of(struct buf *rows, const struct record *record, size_t count) {
    record_rows_begin(rows, 1);
    for (size_t i = 0; i < count; i++)
        record_rows_add(rows, record, 7, i);
    record_rows_end(rows, count);
    return rows->length;
}

Test(record, rows_follow_one_another) {
    JSON_SCOPED *json = json_of("{\"id\":\"x1\",\"started_at\":\"1999-12-31T23:59:59Z\"}");
    RECORD_SCOPED record = {0};
    must_parse(&record_kinds[KIND_CUSTOMER], json, context_of(RECORD_BULK), &record);
    const size_t head = 20, count_at = 12;
    const size_t ord_at = 4 * 4; /* after length, columns, type and length */
    BUF_SCOPED one = {0};
    BUF_SCOPED two = {0};
    size_t row = rows_of(&one, &record, 1) - head;
    cr_assert_eq(rows_of(&two, &record, 2), head + 2 * row);
    cr_assert_arr_eq(two.data + count_at, "\0\0\0\2", 4);
    cr_assert_eq(two.data[head + row + ord_at + 3], 1);
    two.data[head + row + ord_at + 3] = 0; /* in all else they are alike */
    cr_assert_arr_eq(two.data + head, one.data + head, row);
    cr_assert_arr_eq(two.data + head + row, one.data + head, row);
}

Test(record, a_hash_is_known_as_postgres_writes_it) {
    RECORD_SCOPED record = {0};
    memset(record.hash, 0xA5, sizeof record.hash);
    cr_assert(record_has_hash(&record, "\\xa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"));
    cr_assert(!record_has_hash(&record, "\\xa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a4"));
    cr_assert(!record_has_hash(&record, "\\x")); /* another program's */
}

Test(record, a_stored_row_comes_out_as_it_is) {
    const char *columns[] = {"x1",
                             "c1",
                             "2024-03-01 12:00:00.5+00",
                             NULL,
                             "f",
                             "a\nb",
                             "{\"b\":0.1}",
                             "2024-03-02 00:00:00+00",
                             "2024-03-03 00:00:00.000001+00"};
    RECORD_SCOPED record = {0};
    cr_assert(record_from_row(&record_kinds[KIND_CANCELLATION], columns, &record) == ERR_OK);
    BUF_SCOPED text = {0};
    record_write_json(&text, &record);
    cr_assert_str_eq(buf_text(&text),
                     "{\"id\":\"x1\",\"customer_id\":\"c1\","
                     "\"cancelled_at\":\"2024-03-01T12:00:00.5Z\",\"reason\":null,"
                     "\"voluntary\":false,\"comment\":\"a\\nb\",\"metadata\":{\"b\":0.1},"
                     "\"created_at\":\"2024-03-02T00:00:00Z\","
                     "\"updated_at\":\"2024-03-03T00:00:00.000001Z\"}");
}

Test(record, a_row_of_other_types_is_refused) {
    const char *columns[] = {"x1", "c1", "2024-03-01 12:00:00+00", NULL, "f", NULL, NULL,
                             NULL, NULL};
    static const char *const bad_moments[] = {"", "infinity", "2024-03-01 12:00:00-03", "1"};
    struct record record = {0};
    for (size_t i = 0; i < sizeof bad_moments / sizeof bad_moments[0]; i++) {
        columns[2] = bad_moments[i];
        cr_expect(record_from_row(&record_kinds[KIND_CANCELLATION], columns, &record) ==
                  ERR_UNAVAILABLE);
    }
    columns[2] = NULL;
    columns[7] = columns[8] = "now";
    cr_expect(record_from_row(&record_kinds[KIND_CANCELLATION], columns, &record) ==
              ERR_UNAVAILABLE);
    columns[7] = columns[8] = NULL;
    columns[4] = "true";
    cr_expect(record_from_row(&record_kinds[KIND_CANCELLATION], columns, &record) ==
              ERR_UNAVAILABLE);
}
