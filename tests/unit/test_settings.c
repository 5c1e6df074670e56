/* Settings: defaults, bounds, secrets from files, typing errors. Every test is its own process. */
#include "vinculo/settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct settings settings;
static struct problem problem;

static void forget_environment(void) { clearenv(); }

static void clear(void) {
    settings_clear(&settings);
    problem_clear(&problem);
}

TestSuite(settings, .init = forget_environment, .fini = clear);

static void write_file(char path[64], const char *text) {
    snprintf(path, 64, "/tmp/vinculo-test-settings-XXXXXX");
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

Test(settings, has_the_documented_defaults) {
    cr_assert(settings_load(&settings, &problem) == ERR_OK, "%s", problem.detail);
    cr_assert_str_eq(settings.listen, "127.0.0.1:8080");
    cr_assert(settings.database_url == NULL && settings.read_database_url == NULL);
    cr_assert(settings.tls_certificate == NULL && settings.tls_key == NULL);
    cr_assert(settings.log_level == LOG_INFO);
    cr_assert(settings.body_max_bytes == 65536);
    cr_assert(settings.shutdown_timeout_ms == 10000);
}

Test(settings, accepts_bounds_and_refuses_what_lies_beyond) {
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_spec *spec = &setting_specs[i];
        if (spec->type != SETTING_INTEGER)
            continue;
        const int64_t values[] = {spec->min, spec->max, spec->min - 1, spec->max + 1};
        for (int k = 0; k < 4; k++) {
            char text[32];
            snprintf(text, sizeof text, "%lld", (long long)values[k]);
            setenv(spec->name, text, 1);
            enum err err = settings_load(&settings, &problem);
            cr_assert((err == ERR_OK) == (k < 2), "%s=%s", spec->name, text);
            clear();
        }
        unsetenv(spec->name);
    }
}

Test(settings, refuses_what_is_no_integer) {
    static const char *const texts[] = {"x", "8x", "1.5", "99999999999999999999", "0x10"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        setenv("VINCULO_WORKERS", texts[i], 1);
        cr_assert(settings_load(&settings, &problem) == ERR_INVALID_PARAMETER, "%s", texts[i]);
        problem_clear(&problem);
    }
}

Test(settings, takes_an_empty_variable_as_unset) {
    setenv("VINCULO_WORKERS", "", 1);
    setenv("VINCULO_TLS_CERT", "", 1);
    cr_assert(settings_load(&settings, &problem) == ERR_OK);
    cr_assert(settings.workers == 8 && settings.tls_certificate == NULL);
}

Test(settings, reports_all_wrong_values_at_once) {
    setenv("VINCULO_WORKERS", "0", 1);
    setenv("VINCULO_LOG_LEVEL", "loud", 1);
    setenv("VINCULO_WORKES", "4", 1);
    setenv("VINCULO_TLS_CERT", "cert.pem", 1);
    cr_assert(settings_load(&settings, &problem) != ERR_OK);
    cr_assert(problem.error_count == 4);
    cr_assert_str_eq(problem.errors[0].at, "VINCULO_WORKES");
}

Test(settings, leaves_foreign_variables_alone) {
    setenv("VINCULO_DATA_DIR", "/srv", 1);
    setenv("VINCULO_BIN", "/bin/vinculo", 1);
    setenv("VINCULO_TEST_SEED", "1", 1);
    setenv("VINCULO_SERVICE_PORT", "8080", 1);
    setenv("VINCULO_PORT_8080_TCP_ADDR", "10.0.0.1", 1);
    setenv("VINCULO", "x", 1);
    cr_assert(settings_load(&settings, &problem) == ERR_OK, "%s", problem.detail);
}

Test(settings, reads_a_secret_from_its_file) {
    char path[64];
    write_file(path, "postgresql://u:p@h/db\n");
    setenv("VINCULO_DATABASE_URL_FILE", path, 1);
    enum err err = settings_load(&settings, &problem);
    unlink(path);
    cr_assert(err == ERR_OK, "%s", problem.detail);
    cr_assert_str_eq(settings.database_url, "postgresql://u:p@h/db");
}

Test(settings, refuses_a_secret_given_twice_or_unreadable) {
    setenv("VINCULO_DATABASE_URL_FILE", "/nonexistent/secret", 1);
    cr_assert(settings_load(&settings, &problem) == ERR_INVALID_PARAMETER);
    problem_clear(&problem);
    setenv("VINCULO_DATABASE_URL", "postgresql://u:hush@h/db", 1);
    cr_assert(settings_load(&settings, &problem) == ERR_INVALID_PARAMETER);
    cr_assert(strstr(problem.detail, "hush") == NULL, "a secret must not be told");
}

Test(settings, has_no_file_variant_for_plain_values) {
    setenv("VINCULO_WORKERS_FILE", "/etc/hostname", 1);
    cr_assert(settings_load(&settings, &problem) == ERR_UNKNOWN_PARAMETER);
}

Test(settings, shows_every_setting_in_help_and_readme) {
    BUF_SCOPED help = {0}, table = {0};
    settings_write_help(&help);
    settings_write_markdown(&table);
    for (size_t i = 0; i < setting_count; i++) {
        cr_assert(strstr(buf_text(&help), setting_specs[i].name) != NULL);
        cr_assert(strstr(buf_text(&table), setting_specs[i].name) != NULL);
        cr_assert(setting_specs[i].help[0] != '\0');
    }
}
