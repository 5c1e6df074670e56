/*
 * CSV: random records there and back, the charset, what is written, and hostile texts.
 */
#include "test_csv.h"
#include "test_record_random.h"

#include <sys/resource.h>

enum { RECORDS = 500, MIB = 1024 * 1024 };

/* What a reader makes of a text, as text: one line per row, and the refusal. */
static void trace(const struct kind_spec *spec, enum csv_charset charset, const struct buf *text,
                  size_t piece, struct buf *out) {
    struct csv_source source = {
        .reader = csv_reader_new(spec, charset), .text = text, .piece = piece};
    PROBLEM_SCOPED refusal = {0};
    enum csv_event event;
    while ((event = csv_source_next(&source, &refusal)) == CSV_ROW) {
        PROBLEM_SCOPED problem = {0};
        JSON_SCOPED *json = NULL;
        enum err err = csv_reader_row(source.reader, &json, &problem);
        char *shown_json = err == ERR_OK ? json_dumps(json, JSON_COMPACT) : NULL;
        buf_printf(out, "%llu %s %s\n", (unsigned long long)csv_reader_line(source.reader),
                   err_name(err), shown_json != NULL ? shown_json : problem.detail);
        free(shown_json);
    }
    if (event == CSV_REFUSED)
        buf_printf(out, "%s %s %zu\n", err_name(refusal.code), refusal.detail, refusal.error_count);
    csv_reader_free(source.reader);
    cr_assert(buf_ok(out));
}

static void expect_trace(const char *kind, const char *text, const char *expected) {
    BUF_SCOPED bytes = {0};
    BUF_SCOPED found = {0};
    buf_add_str(&bytes, text);
    trace(kind_named(kind), CSV_UTF_8, &bytes, SIZE_MAX, &found);
    cr_expect_str_eq(buf_text(&found), expected);
}

static size_t random_records(const struct kind_spec *spec, struct record *ret_records) {
    struct record_context context = context_of(RECORD_BULK);
    size_t taken = 0;
    for (size_t tried = 0; taken < RECORDS && tried < 100 * RECORDS; tried++) {
        JSON_SCOPED *json = random_record(spec);
        if (record_parse(spec, json, &context, &ret_records[taken], NULL) == ERR_OK)
            taken++;
    }
    cr_assert(taken == RECORDS, "%s: %zu taken", spec->name, taken);
    for (size_t i = 0; i < taken; i += 2) {
        ret_records[i].stored = true;
        ret_records[i].created_us = ret_records[i].updated_us = context.now_us;
    }
    return taken;
}

Test(csv, random_records_there_and_back) {
    static struct record records[RECORDS];
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct kind_spec *spec = &record_kinds[k];
        size_t count = random_records(spec, records);
        BUF_SCOPED text = {0};
        csv_write_header(&text, spec);
        for (size_t i = 0; i < count; i++)
            csv_write_record(&text, &records[i]);
        cr_assert(buf_ok(&text));

        struct csv_source source = {
            .reader = csv_reader_new(spec, CSV_UTF_8), .text = &text, .piece = 1 + k * 97};
        PROBLEM_SCOPED problem = {0};
        for (size_t i = 0; i < count; i++) {
            cr_assert(csv_source_next(&source, &problem) == CSV_ROW, "%s", problem.detail);
            JSON_SCOPED *json = NULL;
            cr_assert(csv_reader_row(source.reader, &json, &problem) == ERR_OK, "%s",
                      problem.detail);
            RECORD_SCOPED again = {0};
            must_parse(spec, json, context_of(RECORD_BULK), &again);
            cr_assert(record_equal(&records[i], &again), "%s", spec->name);
            cr_assert(memcmp(records[i].hash, again.hash, RECORD_HASH_BYTES) == 0);
            record_clear(&records[i]);
        }
        cr_assert(csv_source_next(&source, &problem) == CSV_MORE);
        csv_reader_free(source.reader);
    }
}

Test(csv, every_byte_of_windows_1252_is_its_character) {
    /* From the Unicode Consortium's table CP1252.TXT; five bytes stand for nothing. */
    static const char *const high[] = {"€", NULL, "‚",  "ƒ", "„",  "…",  "†", "‡",  "ˆ", "‰", "Š",
                                       "‹", "Œ",  NULL, "Ž", NULL, NULL, "‘", "’",  "“", "”", "•",
                                       "–", "—",  "˜",  "™", "š",  "›",  "œ", NULL, "ž", "Ÿ"};
    for (unsigned byte = 0x80; byte <= 0xFF; byte++) {
        BUF_SCOPED text = {0};
        BUF_SCOPED found = {0};
        BUF_SCOPED expected = {0};
        buf_printf(&text, "id\n%c\n", (int)byte);
        trace(&record_kinds[KIND_CUSTOMER], CSV_WINDOWS_1252, &text, SIZE_MAX, &found);
        if (byte >= 0xA0)
            buf_printf(&expected, "2 %s {\"id\":\"%c%c\"}\n", err_name(ERR_OK),
                       (int)(0xC0 | byte >> 6), (int)(0x80 | (byte & 0x3F)));
        else if (high[byte - 0x80] != NULL)
            buf_printf(&expected, "2 %s {\"id\":\"%s\"}\n", err_name(ERR_OK), high[byte - 0x80]);
        else
            buf_printf(&expected, "2 malformed_csv line 2, column 1: ");
        cr_expect(strncmp(buf_text(&found), buf_text(&expected), expected.length) == 0,
                  "byte %02x: %s", byte, buf_text(&found));
    }
}

Test(csv, charsets_have_their_names) {
    static const struct {
        const char *name;
        bool known;
        enum csv_charset charset;
    } names[] = {{"utf-8", true, CSV_UTF_8},
                 {"UTF-8", true, CSV_UTF_8},
                 {"Windows-1252", true, CSV_WINDOWS_1252},
                 {"ISO-8859-1", true, CSV_WINDOWS_1252},
                 {"iso-8859-15", false, CSV_UTF_8},
                 {"utf-16", false, CSV_UTF_8},
                 {"utf-", false, CSV_UTF_8},
                 {"", false, CSV_UTF_8}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum csv_charset charset = CSV_UTF_8;
        cr_expect(csv_charset_find(names[i].name, strlen(names[i].name), &charset) ==
                  names[i].known);
        cr_expect(charset == names[i].charset, "%s", names[i].name);
    }
}

Test(csv, what_is_written) {
    JSON_SCOPED *json =
        json_of("{\"id\":\"=1+1\",\"customer_id\":\" c\",\"cancelled_at\":"
                "\"2024-03-01T09:00:00-03:00\",\"reason\":\"a;b\",\"voluntary\":false,"
                "\"comment\":\"\\\"sim\\\"\\r\\nnão\",\"metadata\":{\"a\":1}}");
    RECORD_SCOPED record = {0};
    must_parse(&record_kinds[KIND_CANCELLATION], json, context_of(RECORD_BULK), &record);
    record.stored = true;
    record.created_us = record.updated_us = moment("2024-03-02T00:00:00.5Z");
    BUF_SCOPED text = {0};
    csv_write_header(&text, record.spec);
    csv_write_record(&text, &record);
    cr_expect_str_eq(buf_text(&text),
                     "id,customer_id,cancelled_at,reason,voluntary,comment,metadata,created_at,"
                     "updated_at\r\n"
                     "=1+1,\" c\",2024-03-01T12:00:00Z,\"a;b\",false,\"\"\"sim\"\"\r\nnão\","
                     "\"{\"\"a\"\":1}\",2024-03-02T00:00:00.5Z,2024-03-02T00:00:00.5Z\r\n");
}

Test(csv, the_end_and_a_refusal_stay) {
    struct csv_reader *reader = csv_reader_new(&record_kinds[KIND_CUSTOMER], CSV_UTF_8);
    PROBLEM_SCOPED problem = {0};
    size_t used;
    cr_assert(csv_reader_feed(reader, "id\nc1", 5, &used, &problem) == CSV_MORE && used == 5);
    cr_assert(csv_reader_end(reader, &problem) == CSV_ROW);
    cr_assert(csv_reader_end(reader, &problem) == CSV_MORE);
    cr_assert(csv_reader_end(reader, &problem) == CSV_MORE);
    csv_reader_free(reader);

    reader = csv_reader_new(&record_kinds[KIND_CUSTOMER], CSV_UTF_8);
    cr_assert(csv_reader_feed(reader, "x\nc1\n", 5, &used, &problem) == CSV_REFUSED && used == 2);
    cr_assert(csv_reader_feed(reader, "c1\n", 3, &used, &problem) == CSV_REFUSED);
    cr_assert(csv_reader_end(reader, &problem) == CSV_REFUSED);
    cr_assert(problem.code == ERR_INVALID_RECORD);
    csv_reader_free(reader);
    csv_reader_free(NULL);
}

Test(csv, rows_are_as_long_as_64_kib) {
    for (int over = 0; over <= 1; over++) {
        for (int quoted = 0; quoted <= 1; quoted++) {
            size_t size = CSV_ROW_BYTES_MAX + (size_t)over;
            BUF_SCOPED text = {0};
            BUF_SCOPED found = {0};
            buf_add_str(&text, "id\r\n");
            for (size_t i = 0; i < size; i++)
                buf_add_char(&text, quoted && (i == 0 || i == size - 1) ? '"' : 'a');
            buf_add_str(&text, "\r\nc2\r\n");
            trace(&record_kinds[KIND_CUSTOMER], CSV_UTF_8, &text, 1000, &found);
            const char *first = over ? "2 too_large line 2, column 1: " : "2 ok {\"id\":\"aaa";
            cr_expect(strncmp(buf_text(&found), first, strlen(first)) == 0, "%.80s",
                      buf_text(&found));
            cr_expect(strstr(buf_text(&found), "\n3 ok {\"id\":\"c2\"}\n") != NULL);
        }
    }
}

/* Every text with one byte changed is read the same whole and in pieces, and its rows are records
 * or refused. */
Test(csv, damaged_text_never_harms) {
    const struct kind_spec *spec = &record_kinds[KIND_SURVEY];
    static const char sample[] = "\xEF\xBB\xBFtype;score;\"comment\";solicited;metadata\r\n"
                                 "nps;9;\"bom; \"\"muito\"\"\r\nbom\";sim;\"{\"\"a\"\":1}\"\n"
                                 "csat;5;\xC3\xA3;0;\n";
    size_t length = sizeof sample - 1;
    for (size_t at = 0; at < length; at++) {
        for (int byte = 0; byte < 256; byte++) {
            BUF_SCOPED text = {0};
            BUF_SCOPED whole = {0};
            BUF_SCOPED pieces = {0};
            buf_add(&text, sample, length);
            text.data[at] = (char)byte;
            enum csv_charset charset = byte % 2 == 0 ? CSV_UTF_8 : CSV_WINDOWS_1252;
            trace(spec, charset, &text, SIZE_MAX, &whole);
            trace(spec, charset, &text, 1 + at % 5, &pieces);
            cr_assert_str_eq(buf_text(&whole), buf_text(&pieces), "byte %d at %zu", byte, at);
        }
    }
}

/* Random texts of the bytes that matter: the same whole and in pieces, and however bad a row
 * without quotes and line ends is, the next one is read. */
Test(csv, noise_never_harms_the_next_row) {
    static const char bytes[] = {'"', '"', ',', ';',  '\r',   '\n',
                                 ' ', 'a', '1', '\0', '\xFF', '\xC3'};
    for (int round = 0; round < 20000; round++) {
        bool plain = round % 2 == 0;
        BUF_SCOPED text = {0};
        BUF_SCOPED whole = {0};
        BUF_SCOPED pieces = {0};
        buf_add_str(&text, "id,name\n");
        for (uint64_t i = random_below(40); i > 0; i--) {
            char byte = bytes[random_below(sizeof bytes)];
            if (!plain || strchr("\"\r\n", byte) == NULL || byte == '\0')
                buf_add_char(&text, byte);
        }
        if (plain)
            buf_add_str(&text, "\nc2,\"a\nb\"\n");
        trace(&record_kinds[KIND_CUSTOMER], CSV_UTF_8, &text, SIZE_MAX, &whole);
        trace(&record_kinds[KIND_CUSTOMER], CSV_UTF_8, &text, 1 + random_below(4), &pieces);
        cr_assert_str_eq(buf_text(&whole), buf_text(&pieces));
        static const char next[] = "3 ok {\"id\":\"c2\",\"name\":\"a\\nb\"}\n";
        cr_assert(!plain ||
                      (whole.length >= sizeof next - 1 &&
                       strcmp(buf_text(&whole) + whole.length - (sizeof next - 1), next) == 0),
                  "%s", buf_text(&whole));
    }
}

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* One row without end of each kind. */
Test(csv, memory_does_not_grow_with_the_text) {
    static const struct {
        const char *start, *pattern;
    } rows[] = {{"\"", "a"},    {"\"", "\n"}, {"\"", "\"\""},   {"\"", "\"a"},
                {"\"", "\xE3"}, {"a", "a"},   {"a", ","},       {"a", "a,"},
                {"a", "\""},    {"a", "\r"},  {"a", "\xE3\x81"}};
    static char piece[MIB];
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct csv_reader *reader = csv_reader_new(&record_kinds[KIND_SURVEY], CSV_WINDOWS_1252);
        PROBLEM_SCOPED problem = {0};
        BUF_SCOPED start = {0};
        buf_printf(&start, "type\n%s", rows[r].start);
        size_t used, length = strlen(rows[r].pattern);
        cr_assert(csv_reader_feed(reader, start.data, start.length, &used, &problem) == CSV_MORE);
        for (size_t i = 0; i < MIB; i++)
            piece[i] = rows[r].pattern[i % length];
        long before_kib = peak_kib();
        for (int i = 0; i < 16; i++)
            cr_assert(csv_reader_feed(reader, piece, MIB, &used, &problem) == CSV_MORE);
        cr_assert(peak_kib() - before_kib < 2048, "%ld KiB", peak_kib() - before_kib);
        cr_assert(csv_reader_end(reader, &problem) == CSV_ROW);
        JSON_SCOPED *json = NULL;
        cr_assert(csv_reader_row(reader, &json, &problem) != ERR_OK, "row %zu", r);
        csv_reader_free(reader);
    }
}

Test(csv, a_header_of_thousands_of_columns_is_refused_in_bounds) {
    BUF_SCOPED text = {0};
    BUF_SCOPED found = {0};
    for (int i = 0; i < 10000; i++)
        buf_printf(&text, "x%d,", i);
    buf_add_str(&text, "id\nc1\n");
    trace(&record_kinds[KIND_CUSTOMER], CSV_UTF_8, &text, 999, &found);
    const char *expected = "invalid_record the header line on line 1 ";
    cr_expect(strncmp(buf_text(&found), expected, strlen(expected)) == 0, "%s", buf_text(&found));
    cr_expect(found.length < 1000);

    BUF_SCOPED longer = {0};
    for (int i = 0; i < 100000; i++)
        buf_add_str(&longer, "id,");
    buf_add_str(&longer, "id\nc1\n");
    buf_reset(&found);
    trace(&record_kinds[KIND_CUSTOMER], CSV_UTF_8, &longer, 999, &found);
    cr_expect(strncmp(buf_text(&found), "too_large line 1", 16) == 0, "%s", buf_text(&found));
}

Test(csv, details_say_where_and_what_is_right) {
    expect_trace("customer", "id,name\nc1,a\"b\nc2,b\nc3\n",
                 "2 malformed_csv line 2, column 2: a value with a quote inside must stand in "
                 "quotes, and that quote be doubled\n"
                 "3 ok {\"id\":\"c2\",\"name\":\"b\"}\n"
                 "4 malformed_csv line 4: the row has 1 and not the header line's 2 cells\n");
}
