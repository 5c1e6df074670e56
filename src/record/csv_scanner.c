/*
 * Bytes to rows of cells (RFC 4180). A row that breaks the rules is read to its end all the same,
 * so that the next one begins where it should.
 */
#include "csv_internal.h"
#include "internal.h"

#include <inttypes.h>
#include <string.h>

static const char byte_order_mark[] = {'\xEF', '\xBB', '\xBF'};

void csv_scanner_init(struct csv_scanner *scanner, enum csv_charset charset) {
    *scanner = (struct csv_scanner){.charset = charset, .line = 1, .row_line = 1};
    for (const char *stop = "\",;\r\n"; *stop != '\0'; stop++)
        scanner->stops[(unsigned char)*stop] = true;
    scanner->stops[0] = true;
    for (size_t i = 0x80; i < CSV_BYTE_COUNT; i++)
        scanner->stops[i] = charset == CSV_WINDOWS_1252;
}

static void set_fault(struct csv_scanner *scanner, enum csv_fault fault) {
    if (scanner->fault != CSV_FAULT_NONE)
        return;
    scanner->fault = fault;
    scanner->fault_cell = scanner->cell_count;
}

static bool is_too_long(const struct csv_scanner *scanner) {
    return scanner->row_bytes > CSV_ROW_BYTES_MAX;
}

static void add_run(struct csv_scanner *scanner, const char *data, size_t length) {
    scanner->row_bytes += length;
    if (is_too_long(scanner))
        set_fault(scanner, CSV_FAULT_TOO_LONG);
    else
        buf_add(&scanner->text, data, length);
}

static void add_byte(struct csv_scanner *scanner, char byte) {
    unsigned char code = (unsigned char)byte;
    if (is_too_long(scanner))
        set_fault(scanner, CSV_FAULT_TOO_LONG);
    else if (code == 0)
        set_fault(scanner, CSV_FAULT_NUL);
    else if (code < 0x80 || scanner->charset == CSV_UTF_8)
        buf_add_char(&scanner->text, byte);
    else if (!csv_add_windows_1252(&scanner->text, code))
        set_fault(scanner, CSV_FAULT_BYTE);
}

static bool is_delimiter(struct csv_scanner *scanner, char byte) {
    if (scanner->delimiter == 0 && (byte == ',' || byte == ';'))
        scanner->delimiter = byte;
    return byte == scanner->delimiter && byte != 0;
}

static void end_cell(struct csv_scanner *scanner) {
    if (scanner->cell_count < CSV_CELLS_MAX)
        scanner->ends[scanner->cell_count] = scanner->text.length;
    scanner->cell_count++;
    scanner->state = CSV_CELL_START;
}

/* True where the row counts: spreadsheets end their texts with rows of empty cells. */
static bool end_row(struct csv_scanner *scanner) {
    if (is_too_long(scanner))
        set_fault(scanner, CSV_FAULT_TOO_LONG);
    end_cell(scanner);
    if (scanner->text.length == 0 && !scanner->text.failed && scanner->fault == CSV_FAULT_NONE) {
        csv_scanner_next(scanner);
        return false;
    }
    if (scanner->delimiter == 0)
        scanner->delimiter = ',';
    return true;
}

/* A byte outside quotes. True where it ends a row. */
static bool take_plain(struct csv_scanner *scanner, char byte) {
    if (byte == '\n')
        return true;
    if (byte == '\r') {
        scanner->state = CSV_RETURN;
        return false;
    }
    scanner->row_bytes++;
    if (is_delimiter(scanner, byte)) {
        end_cell(scanner);
        return false;
    }
    if (byte == '"')
        set_fault(scanner, CSV_FAULT_QUOTE_INSIDE);
    add_byte(scanner, byte);
    scanner->state = CSV_PLAIN;
    return false;
}

static bool take_behind_quote(struct csv_scanner *scanner, char byte) {
    if (byte == '"') {
        scanner->row_bytes++;
        add_byte(scanner, byte);
        scanner->state = CSV_QUOTED;
        return false;
    }
    if (byte != '\n' && byte != '\r' && !is_delimiter(scanner, byte))
        set_fault(scanner, CSV_FAULT_AFTER_QUOTE);
    return take_plain(scanner, byte);
}

static bool take_byte(struct csv_scanner *scanner, char byte) {
    switch (scanner->state) {
    case CSV_CELL_START:
        if (byte != '"')
            return take_plain(scanner, byte);
        scanner->row_bytes++;
        scanner->state = CSV_QUOTED;
        return false;
    case CSV_PLAIN:
        return take_plain(scanner, byte);
    case CSV_QUOTED:
        scanner->row_bytes++;
        if (byte == '"')
            scanner->state = CSV_QUOTE;
        else
            add_byte(scanner, byte);
        return false;
    case CSV_QUOTE:
        return take_behind_quote(scanner, byte);
    case CSV_RETURN:
        if (byte != '\n')
            set_fault(scanner, CSV_FAULT_LONE_RETURN);
        return take_plain(scanner, byte);
    }
    return false;
}

/* True where the byte completes a row that counts. */
static bool scan_byte(struct csv_scanner *scanner, char byte) {
    bool ends_row = take_byte(scanner, byte);
    scanner->line += byte == '\n';
    return ends_row && end_row(scanner);
}

/* What began like a byte order mark and is none is text. */
static void begin_text(struct csv_scanner *scanner) {
    scanner->begun = true;
    for (size_t i = 0; i < scanner->bom_length; i++)
        (void)scan_byte(scanner, byte_order_mark[i]); /* cannot end a row */
}

/* Bytes at the start that may be a byte order mark, which pieces may cut. The mark overrules the
 * charset: it is nothing else's beginning. */
static size_t take_byte_order_mark(struct csv_scanner *scanner, const char *data, size_t length) {
    size_t used = 0;
    while (!scanner->begun && used < length) {
        if (data[used] != byte_order_mark[scanner->bom_length]) {
            begin_text(scanner);
            break;
        }
        used++;
        if (++scanner->bom_length == sizeof byte_order_mark) {
            csv_scanner_init(scanner, CSV_UTF_8);
            scanner->begun = true;
        }
    }
    return used;
}

static size_t run_length(const struct csv_scanner *scanner, const char *data, size_t length) {
    size_t run = 0;
    while (run < length && !scanner->stops[(unsigned char)data[run]])
        run++;
    return run;
}

bool csv_scanner_feed(struct csv_scanner *scanner, const char *data, size_t length,
                      size_t *ret_used) {
    size_t used = take_byte_order_mark(scanner, data, length);
    bool complete = false;
    while (used < length && !complete) {
        size_t run = 0;
        if (scanner->state == CSV_PLAIN || scanner->state == CSV_QUOTED)
            run = run_length(scanner, data + used, length - used);
        if (run > 0)
            add_run(scanner, data + used, run);
        else
            complete = scan_byte(scanner, data[used]);
        used += run > 0 ? run : 1;
    }
    *ret_used = used;
    return complete;
}

bool csv_scanner_end(struct csv_scanner *scanner) {
    if (!scanner->begun)
        begin_text(scanner);
    if (scanner->state == CSV_QUOTED)
        set_fault(scanner, CSV_FAULT_OPEN_QUOTE);
    return end_row(scanner);
}

void csv_scanner_next(struct csv_scanner *scanner) {
    buf_reset(&scanner->text);
    scanner->state = CSV_CELL_START;
    scanner->cell_count = 0;
    scanner->row_bytes = 0;
    scanner->row_line = scanner->line;
    scanner->fault = CSV_FAULT_NONE;
}

const char *csv_scanner_cell(const struct csv_scanner *scanner, size_t cell, size_t *ret_length) {
    size_t start = cell == 0 ? 0 : scanner->ends[cell - 1];
    *ret_length = scanner->ends[cell] - start;
    return buf_text(&scanner->text) + start;
}

static enum err refuse(const struct csv_scanner *scanner, struct problem *problem, enum err code,
                       size_t cell, const char *why) {
    return problem_set(problem, code, "line %" PRIu64 ", column %zu: %s", scanner->row_line,
                       cell + 1, why);
}

static enum err check_utf8(const struct csv_scanner *scanner, struct problem *problem) {
    for (size_t i = 0; i < scanner->cell_count && i < CSV_CELLS_MAX; i++) {
        size_t length, points;
        bool has_control;
        const char *text = csv_scanner_cell(scanner, i, &length);
        if (!text_measure(text, length, &points, &has_control))
            return refuse(scanner, problem, ERR_MALFORMED_CSV, i,
                          "the text is not UTF-8; if it is windows-1252, say so: "
                          "Content-Type: text/csv; charset=windows-1252");
    }
    return ERR_OK;
}

enum err csv_scanner_check(const struct csv_scanner *scanner, struct problem *problem) {
    static const char *const whys[CSV_FAULT_COUNT] = {
        [CSV_FAULT_TOO_LONG] = "a row may have at most 64 KiB; is a quote left open?",
        [CSV_FAULT_QUOTE_INSIDE] =
            "a value with a quote inside must stand in quotes, and that quote be doubled",
        [CSV_FAULT_AFTER_QUOTE] =
            "text follows the closing quote; a quote inside a value must be doubled",
        [CSV_FAULT_OPEN_QUOTE] = "the text ends inside quotes",
        [CSV_FAULT_LONE_RETURN] =
            "a carriage return without line feed must stand in quotes; lines end in CRLF or LF",
        [CSV_FAULT_NUL] = "NUL is not allowed; if the text is UTF-16, save it as UTF-8",
        [CSV_FAULT_BYTE] = "a byte stands for no character of windows-1252",
    };
    if (!buf_ok(&scanner->text))
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    if (scanner->fault != CSV_FAULT_NONE)
        return refuse(scanner, problem,
                      scanner->fault == CSV_FAULT_TOO_LONG ? ERR_TOO_LARGE : ERR_MALFORMED_CSV,
                      scanner->fault_cell, whys[scanner->fault]);
    return scanner->charset == CSV_UTF_8 ? check_utf8(scanner, problem) : ERR_OK;
}
