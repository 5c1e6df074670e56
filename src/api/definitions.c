/* What the KPIs are called. */
#include "handlers.h"

#include "vinculo/kpi.h"

enum err kpi_refuse_unknown(struct call *call, enum err code) {
    BUF_SCOPED names = {0};
    for (size_t i = 0; i < kpi_count; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : ", ", kpi_catalogue[i].name);
    }
    if (code == ERR_NOT_FOUND) {
        return problem_set(&call->problem, code, "There is no such KPI. There are: %s.",
                           buf_text(&names));
    }
    return problem_add_parameter(&call->problem, code, "kpis",
                                 "A list of KPIs separated by commas, each once: %s.",
                                 buf_text(&names));
}
