/*
 * A workspace's own row: found by name, read, and changed with all that follows from the change.
 * Its settings are one table: a further one is a row there, a column, and its place in the two
 * statements.
 */
#ifndef VINCULO_WORKSPACE_STORE_H
#define VINCULO_WORKSPACE_STORE_H

#include "vinculo/db.h"
#include "vinculo/keyring.h"
#include "vinculo/kpi_store.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAME_POINTS_MAX = 64, WORKSPACE_NAME_TEXT_MAX = 4 * NAME_POINTS_MAX + 1 };

enum workspace_setting { SETTING_RESPONSE_WINDOW_DAYS, WORKSPACE_SETTING_COUNT };

/* An integer setting: its column has its name. */
struct workspace_setting_spec {
    const char *name;
    int min, max;
    int fallback;
    const char *help; /* one line: meaning and unit */
};
extern const struct workspace_setting_spec workspace_settings[WORKSPACE_SETTING_COUNT];

/* Languages of a workspace's texts, NULL-terminated; the first is the default. */
extern const char *const workspace_languages[];

struct workspace {
    char name[WORKSPACE_NAME_TEXT_MAX];
    char timezone[TIMEZONE_TEXT_MAX]; /* IANA */
    char currency[CURRENCY_TEXT_MAX];
    char language[3];
    int settings[WORKSPACE_SETTING_COUNT];
    int64_t created_us, updated_us;
};

/* What shall be different. Texts: NULL where a member stays as it is. */
struct workspace_change {
    const char *name; /* only compared: names are given by whoever runs the service */
    const char *timezone;
    const char *currency;
    const char *language;
    bool has_setting[WORKSPACE_SETTING_COUNT];
    int settings[WORKSPACE_SETTING_COUNT];
};

/* A name of a workspace or key: 1–64 code points of UTF-8 without control characters. (That it is
 * UTF-8 is for others to check.) */
bool name_is_valid(const char *text);
/* ISO 4217: three capital letters. */
bool currency_is_valid(const char *text);
bool language_is_valid(const char *text);

/* DB_STOP: there is none of this name. */
MUST_CHECK enum db_status workspace_store_find(struct db *db, const char *name, int *ret_id);
/* The zone of this name in whatever case, as PostgreSQL spells it. DB_STOP: there is none. */
MUST_CHECK enum db_status workspace_store_find_zone(struct db *db, const char *zone,
                                                    char ret_name[TIMEZONE_TEXT_MAX]);

MUST_CHECK enum err workspace_store_read(struct db *db, int id, struct workspace *ret_workspace,
                                         struct problem *problem);

/* Makes the change, in one transaction with the recount of all figures where zone or response
 * window change: that may take `rebuild_timeout_ms`; readers see the former figures until then,
 * writers wait for their lock timeout at most. Field errors are added to those that the problem has
 * already; with any of them nothing is changed and ERR_INVALID_RECORD is returned. */
MUST_CHECK enum err workspace_store_change(struct db *db, int id,
                                           const struct workspace_change *change,
                                           int rebuild_timeout_ms, struct workspace *ret_workspace,
                                           struct problem *problem);

#endif
