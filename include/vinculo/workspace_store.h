/*
 * A workspace's own row: found by name, read, and changed with all that follows from the change.
 * Its settings are one table: a further one is a row there, a column, and a line in each of the two
 * statements, between which and the API a setting is JSON.
 */
#ifndef VINCULO_WORKSPACE_STORE_H
#define VINCULO_WORKSPACE_STORE_H

#include "vinculo/db.h"
#include "vinculo/keyring.h"
#include "vinculo/kpi_store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { NAME_POINTS_MAX = 64, WORKSPACE_NAME_TEXT_MAX = 4 * NAME_POINTS_MAX + 1 };

enum workspace_setting {
    SETTING_RESPONSE_WINDOW_DAYS,
    SETTING_GROSS_MARGIN,
    SETTING_CAC_CATEGORIES,
    SETTING_RESPONSE_TARGET_SECONDS,
    SETTING_RELATIONSHIP_WEIGHTS,
    WORKSPACE_SETTING_COUNT
};

enum workspace_setting_form {
    VALUE_INTEGER, /* from min to max */
    VALUE_SHARE,   /* a number above 0, at most 1 */
    VALUE_LABELS,  /* null (all), or 1 to max different labels */
    VALUE_WEIGHTS  /* an object with each of workspace_weights, 0 to 1, not all 0 */
};

struct workspace_setting_spec {
    const char *name;
    enum workspace_setting_form form;
    int min, max;
    bool recounts;        /* totals depend on it */
    const char *fallback; /* the column's default as JSON */
};
extern const struct workspace_setting_spec workspace_settings[WORKSPACE_SETTING_COUNT];

/* The members of relationship_weights, NULL-terminated, in the order of the column's elements. */
extern const char *const workspace_weights[];

/* Languages of a workspace's texts, NULL-terminated; the first is the default. */
extern const char *const workspace_languages[];

struct workspace {
    char name[WORKSPACE_NAME_TEXT_MAX];
    char timezone[TIMEZONE_TEXT_MAX]; /* IANA */
    char currency[CURRENCY_TEXT_MAX];
    char language[3];
    json_t *settings; /* object of all settings by name; owned, see workspace_clear */
    int64_t created_us, updated_us;
};

/* What shall be different. Texts: NULL where a member stays as it is. */
struct workspace_change {
    const char *name; /* only compared: names are given by whoever runs the service */
    const char *timezone;
    const char *currency;
    const char *language;
    json_t *settings; /* object of the settings that change, checked; NULL: none; not owned */
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

void workspace_clear(struct workspace *workspace);

/* The caller clears *ret_workspace, which is set where ERR_OK is returned. */
MUST_CHECK enum err workspace_store_read(struct db *db, int id, struct workspace *ret_workspace,
                                         struct problem *problem);

/* Makes the change, in one transaction with the recount of all figures where the zone or a setting
 * changes that totals depend on, and with all comments' being taken in again where the language
 * does: that may take `rebuild_timeout_ms`; readers see what was before until then, writers wait
 * for their lock timeout at most. Field errors are added to those that the problem has already;
 * with any of them nothing is changed and ERR_INVALID_RECORD is returned. */
MUST_CHECK enum err workspace_store_change(struct db *db, int id,
                                           const struct workspace_change *change,
                                           int rebuild_timeout_ms, struct workspace *ret_workspace,
                                           struct problem *problem);

#endif
