// Uses every route of openapi.yaml through the client generated from it.
// VINCULO_URL and VINCULO_KEY (scope admin, of an empty workspace in BRL) say where.
// VINCULO_PROXIED is set where Prism 5 stands between: it takes application/problem+json for
// application/json, so of a 422 that has both it knows the first alone; that one answer is left out (all of
// tests/api passes validating_proxy.mjs, which has it). Prints, as JSON,
// the answers got: {"METHOD path": [status, …]}. Any answer that is not the one due ends it with an error.
import assert from "node:assert/strict";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./generated/vinculo.js";

type Schemas = components["schemas"];
type Problem = Schemas["Problem"] | Schemas["ManyProblem"];
type Outcome<Data> = { data?: Data; error?: Problem | Schemas["ManyResult"]; response: Response };

const baseUrl = process.env["VINCULO_URL"];
const adminKey = process.env["VINCULO_KEY"];
assert.ok(baseUrl !== undefined && adminKey !== undefined, "VINCULO_URL and VINCULO_KEY are needed");

const answers = new Map<string, Set<number>>();
const recorder: Middleware = {
  onResponse({ request, schemaPath, response }) {
    const route = `${request.method} ${schemaPath}`;
    answers.set(route, (answers.get(route) ?? new Set()).add(response.status));
  },
};

function clientWith(key: string) {
  const made = createClient<paths>({ baseUrl: baseUrl!, headers: { Authorization: `Bearer ${key}` } });
  made.use(recorder);
  return made;
}

function expectStatus(outcome: Outcome<unknown>, status: number) {
  const said = JSON.stringify(outcome.error);
  assert.equal(outcome.response.status, status, `${outcome.response.url}: ${said}`);
}

/** The body of an answer that must have this status. */
function taken<Data>(outcome: Outcome<Data>, status: number): Data {
  expectStatus(outcome, status);
  assert.ok(outcome.data !== undefined, `${outcome.response.url}: no body`);
  return outcome.data;
}

function refused(outcome: Outcome<unknown>, status: number, code: Schemas["ProblemCode"]) {
  expectStatus(outcome, status);
  assert.ok(outcome.error !== undefined && "code" in outcome.error);
  assert.equal(outcome.error.code, code);
  assert.equal(outcome.error.status, status);
}

const api = clientWith(adminKey);
const text = (body: unknown) => String(body);

interface Stored {
  id: string;
  metadata: Record<string, unknown> | null;
}

/** The routes of one kind of record, each bound to its literal path. */
interface Kind<Item extends Stored, Sent> {
  fields: Sent;
  put: (id: string, fields: Sent) => Promise<Outcome<Item>>;
  post: (body: Sent & { id: string }) => Promise<Outcome<Item | Schemas["ManyResult"]>>;
  postMany: (body: (Sent & { id: string })[]) => Promise<Outcome<Item | Schemas["ManyResult"]>>;
  get: (id: string) => Promise<Outcome<Item>>;
  mark: (id: string) => Promise<Outcome<Item>>;
  remove: (id: string) => Promise<Outcome<unknown>>;
  list: (query: { limit: number; cursor?: string }) => Promise<
    Outcome<{ items: Item[]; next_cursor: string | null } | string>>;
  export: (format: "csv" | "ndjson") => Promise<Outcome<unknown>>;
}

const mark = { metadata: { seen: true } };

async function exercise<Item extends Stored, Sent>(kind: Kind<Item, Sent>) {
  const id = "um/dois três"; // Needs encoding in a path.
  const one = { id, ...kind.fields };
  const stored = taken(await kind.post(one), 201);
  assert.ok("id" in stored && stored.id === id);
  taken(await kind.post(one), 200);
  assert.deepEqual(taken(await kind.get(id), 200), stored);
  assert.deepEqual(taken(await kind.mark(id), 200).metadata, mark.metadata);
  refused(await kind.post(one), 409, "id_conflict");
  assert.equal(taken(await kind.put(id, kind.fields), 200).metadata, null);
  taken(await kind.put("outro", kind.fields), 201);

  const many = taken(await kind.postMany([one, { ...one, id: "mais" }]), 200);
  assert.ok("results" in many);
  assert.deepEqual(many.results.map((result) => result.outcome), ["unchanged", "created"]);

  const first = taken(await kind.list({ limit: 2 }), 200);
  assert.ok(typeof first === "object" && first.next_cursor !== null);
  const second = taken(await kind.list({ limit: 2, cursor: first.next_cursor }), 200);
  assert.ok(typeof second === "object" && second.next_cursor === null);
  const ids = [...first.items, ...second.items].map((item) => item.id);
  assert.deepEqual(ids.sort(), [id, "outro", "mais"].sort());
  assert.equal(text(taken(await kind.export("csv"), 200)).trimEnd().split("\r\n").length, 4);
  assert.equal(text(taken(await kind.export("ndjson"), 200)).trimEnd().split("\n").length, 3);

  for (const last of ["outro", "mais", id]) {
    expectStatus(await kind.remove(last), 204);
  }
  refused(await kind.get(id), 404, "not_found");
  refused(await kind.remove(id), 404, "not_found");
}

async function exerciseRecords() {
  await exercise({
    fields: { started_at: "2026-01-10T12:00:00Z", name: "Padaria Estrela", segment: "pequenas" },
    post: (body) => api.POST("/v1/customers", { body }),
    postMany: (body) => api.POST("/v1/customers", { body }),
    get: (id) => api.GET("/v1/customers/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/customers/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/customers/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/customers/{id}", { params: { path: { id } } }),
    list: async (query) => {
      const { data, response } = await api.GET("/v1/customers", { params: { query } });
      assert.ok(data !== undefined && (typeof data === "string" || !("at" in data))); // Not by risk.
      return { data, response };
    },
    export: (format) => api.GET("/v1/customers", { params: { query: { format } }, parseAs: "text" }),
  });
  await exercise({
    fields: { type: "ces" as const, score: 5, comment: "Fácil", answered_at: "2026-03-14T12:00:00Z" },
    post: (body) => api.POST("/v1/surveys", { body }),
    postMany: (body) => api.POST("/v1/surveys", { body }),
    get: (id) => api.GET("/v1/surveys/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/surveys/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/surveys/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/surveys/{id}", { params: { path: { id } } }),
    list: (query) => api.GET("/v1/surveys", { params: { query } }),
    export: (format) => api.GET("/v1/surveys", { params: { query: { format } }, parseAs: "text" }),
  });
  await exercise({
    fields: { channel: "whatsapp", opened_at: "2026-03-15T13:00:00Z", resolved_at: "2026-03-15T14:00:00Z" },
    post: (body) => api.POST("/v1/interactions", { body }),
    postMany: (body) => api.POST("/v1/interactions", { body }),
    get: (id) => api.GET("/v1/interactions/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/interactions/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/interactions/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/interactions/{id}", { params: { path: { id } } }),
    list: (query) => api.GET("/v1/interactions", { params: { query } }),
    export: (format) => api.GET("/v1/interactions", { params: { query: { format } }, parseAs: "text" }),
  });
  const owner = { id: "dono", started_at: "2026-01-10T12:00:00Z" };
  taken(await api.POST("/v1/customers", { body: owner }), 201);
  await exercise({
    fields: { customer_id: "dono", cancelled_at: "2026-04-20T12:00:00Z", reason: "preco" },
    post: (body) => api.POST("/v1/cancellations", { body }),
    postMany: (body) => api.POST("/v1/cancellations", { body }),
    get: (id) => api.GET("/v1/cancellations/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/cancellations/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/cancellations/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/cancellations/{id}", { params: { path: { id } } }),
    list: (query) => api.GET("/v1/cancellations", { params: { query } }),
    export: (format) => api.GET("/v1/cancellations", { params: { query: { format } }, parseAs: "text" }),
  });
  await exercise({
    fields: { customer_id: "dono", reactivated_at: "2026-05-28T12:00:00Z" },
    post: (body) => api.POST("/v1/reactivations", { body }),
    postMany: (body) => api.POST("/v1/reactivations", { body }),
    get: (id) => api.GET("/v1/reactivations/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/reactivations/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/reactivations/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/reactivations/{id}", { params: { path: { id } } }),
    list: (query) => api.GET("/v1/reactivations", { params: { query } }),
    export: (format) => api.GET("/v1/reactivations", { params: { query: { format } }, parseAs: "text" }),
  });
  await exercise({
    fields: { amount: 12990, currency: "BRL", paid_at: "2026-03-05T12:00:00Z" },
    post: (body) => api.POST("/v1/payments", { body }),
    postMany: (body) => api.POST("/v1/payments", { body }),
    get: (id) => api.GET("/v1/payments/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/payments/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/payments/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/payments/{id}", { params: { path: { id } } }),
    list: (query) => api.GET("/v1/payments", { params: { query } }),
    export: (format) => api.GET("/v1/payments", { params: { query: { format } }, parseAs: "text" }),
  });
  await exercise({
    fields: { amount: 250000, category: "anuncios", incurred_at: "2026-03-30T12:00:00Z" },
    post: (body) => api.POST("/v1/costs", { body }),
    postMany: (body) => api.POST("/v1/costs", { body }),
    get: (id) => api.GET("/v1/costs/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/costs/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/costs/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/costs/{id}", { params: { path: { id } } }),
    list: (query) => api.GET("/v1/costs", { params: { query } }),
    export: (format) => api.GET("/v1/costs", { params: { query: { format } }, parseAs: "text" }),
  });
  await exercise({
    fields: { title: "Ligar para o cliente", owner: "bia", opened_at: "2026-03-15T12:00:00Z" },
    post: (body) => api.POST("/v1/actions", { body }),
    postMany: (body) => api.POST("/v1/actions", { body }),
    get: (id) => api.GET("/v1/actions/{id}", { params: { path: { id } } }),
    put: (id, body) => api.PUT("/v1/actions/{id}", { params: { path: { id } }, body }),
    mark: (id) => api.PATCH("/v1/actions/{id}", { params: { path: { id } }, body: mark }),
    remove: (id) => api.DELETE("/v1/actions/{id}", { params: { path: { id } } }),
    list: (query) => api.GET("/v1/actions", { params: { query } }),
    export: (format) => api.GET("/v1/actions", { params: { query: { format } }, parseAs: "text" }),
  });
}

async function exerciseDependents() {
  const fields = { id: "dependido", started_at: "2026-01-10T12:00:00Z" };
  taken(await api.POST("/v1/customers", { body: fields }), 201);
  const left = { id: "saiu", customer_id: fields.id, cancelled_at: "2026-02-10T12:00:00Z" };
  taken(await api.POST("/v1/cancellations", { body: left }), 201);
  const path = { id: fields.id };
  refused(await api.DELETE("/v1/customers/{id}", { params: { path } }), 409, "has_dependents");
}

async function exerciseRelationship() {
  const fields = { id: "conhecida", started_at: "2026-01-10T12:00:00Z" };
  taken(await api.POST("/v1/customers", { body: fields }), 201);
  const answer = { id: "nota", customer_id: fields.id, type: "nps" as const, score: 2, answered_at: "2026-02-01T12:00:00Z" };
  taken(await api.POST("/v1/surveys", { body: answer }), 201);
  const path = { id: fields.id };
  const all = taken(await api.GET("/v1/customers/{id}/relationship", { params: { path, query: { at: "2026-02-02" } } }), 200);
  assert.equal(all.state.status, "active");
  assert.equal(all.figures.nps?.score, 2);
  assert.equal(all.health, 70 + all.reasons.reduce((sum, reason) => sum + reason.points, 0));
  assert.deepEqual(all.timeline.map((event) => event.kind), ["survey", "start"]);
  const ranked = taken(await api.GET("/v1/customers", { params: { query: { order: "risk", at: "2026-02-02" } } }), 200);
  assert.ok(typeof ranked === "object" && "at" in ranked);
  assert.equal(ranked.items[0]?.customer.id, fields.id); // Who gave a 2.
  assert.equal(ranked.items[0]?.health, all.health);
  const nobody = { params: { path: { id: "ninguém" } } };
  refused(await api.GET("/v1/customers/{id}/relationship", nobody), 404, "not_found");
  expectStatus(await api.DELETE("/v1/surveys/{id}", { params: { path: { id: answer.id } } }), 204);
  expectStatus(await api.DELETE("/v1/customers/{id}", { params: { path } }), 204);
}

async function exerciseManyForms() {
  const line = (id: string, score: number) =>
    JSON.stringify({ id, type: "nps", score, answered_at: "2026-09-14T12:00:00Z" });
  const lines = taken(await api.POST("/v1/surveys", {
    body: `${line("n1", 10)}\n${line("n2", 9)}\n`,
    bodySerializer: text, headers: { "Content-Type": "application/x-ndjson" },
  }), 200);
  assert.ok("created" in lines && lines.created === 2);

  const table = "id;type;score;answered_at\r\nc1;nps;3;2026-09-14T12:00:00Z\r\nc2;nps;11;2026-09-14T12:00:00Z\r\n";
  const rows = taken(await api.POST("/v1/surveys", {
    body: table, bodySerializer: text, headers: { "Content-Type": "text/csv" },
  }), 207);
  assert.ok("rejected" in rows && rows.created === 1 && rows.rejected === 1);

  const merged = taken(await api.POST("/v1/surveys", {
    body: { id: "n2", type: "nps", comment: "Ótimo" }, params: { query: { on_conflict: "merge" } },
  }), 200);
  assert.ok("comment" in merged && merged.comment === "Ótimo" && merged.score === 9);
}

async function exerciseAtomicRefusal() {
  const both: Schemas["SurveyFields"][] = [
    { id: "a1", type: "nps", score: 8, answered_at: "2026-09-14T12:00:00Z" },
    { id: "n1", type: "nps", score: 0, answered_at: "2026-09-14T12:00:00Z" },
  ];
  const atomic = await api.POST("/v1/surveys", { body: both as never, params: { query: { atomic: true } } });
  expectStatus(atomic, 422);
  assert.ok(atomic.error !== undefined && "not_stored" in atomic.error);
  assert.equal(atomic.error.not_stored, 1);
}

async function exerciseFigures() {
  const query = { period: "2026-09" };
  const all = taken(await api.GET("/v1/kpis", { params: { query } }), 200);
  assert.ok(typeof all !== "string" && "kpis" in all);
  assert.equal(all.period.key, "2026-09");
  const path = { kpi: "nps" } as const;
  const nps = taken(await api.GET("/v1/kpis/{kpi}", { params: { path, query } }), 200);
  assert.ok(typeof nps !== "string" && "kpis" in nps && nps.kpis.nps !== undefined);
  assert.equal(nps.kpis.nps.n, 3); // Two promoters, one detractor.
  assert.ok(Math.abs((nps.kpis.nps.value ?? NaN) - 100 / 3) < 0.1);
  assert.deepEqual(nps.kpis, { nps: all.kpis.nps });

  const records = taken(await api.GET("/v1/kpis/{kpi}/records", { params: { path, query } }), 200);
  const counted = records.items.filter((item) => item.counted).map((item) => item.why);
  assert.deepEqual(counted.sort(), ["detractor", "promoter", "promoter"]);
  assert.equal(records.next_cursor, null);

  const months = { from: "2026-08-01", to: "2026-10-01", granularity: "month" } as const;
  const series = taken(await api.GET("/v1/kpis/{kpi}", { params: { path, query: months } }), 200);
  assert.ok(typeof series !== "string" && "series" in series);
  assert.deepEqual(series.series.map((entry) => [entry.period.key, entry.n]), [["2026-08", 0], ["2026-09", 3]]);
  const several = { ...months, kpis: ["nps" as const, "churn_rate" as const] };
  const many = taken(await api.GET("/v1/kpis", {
    params: { query: several }, querySerializer: { array: { style: "form", explode: false } },
  }), 200);
  assert.ok(typeof many !== "string" && "series" in many);
  const card = taken(await api.GET("/v1/scorecard", { params: { query: { at: "2026-10-05" } } }), 200);
  assert.ok(typeof card !== "string");
  assert.equal(card.kpis.csat?.period?.key, "2026-09");
  refused(await api.GET("/v1/kpis", { params: { query: { ...query, from: "2026-09-01" } } }), 400,
          "unsupported_combination");

  const meanings = taken(await api.GET("/v1/definitions"), 200);
  const meaning = taken(await api.GET("/v1/definitions/{kpi}", { params: { path } }), 200);
  assert.deepEqual(meanings.definitions.find((each) => each.kpi === "nps"), meaning);
  assert.ok(meaning.parts["promoters"] !== undefined && meaning.worked_example.records.length > 0);
}

async function exerciseFeedback() {
  const found = taken(await api.GET("/v1/feedback", { params: { query: { q: "otimo", period: "2026-09" } } }), 200);
  assert.ok(typeof found !== "string");
  assert.deepEqual(found.items.map((item) => [item.id, item.comment, item.score_class]), [["n2", "Ótimo", "positive"]]);
  refused(await api.GET("/v1/feedback", { params: { query: { q: "de" } } }), 400, "invalid_parameter");

  const query = { period: "2026-09" };
  const terms = taken(await api.GET("/v1/feedback/terms", { params: { query } }), 200);
  assert.deepEqual(terms.terms.map((term) => [term.term, term.n, term.change]), [["ótimo", 1, null]]);
  const drivers = taken(await api.GET("/v1/drivers", { params: { query: { ...query, overall: "nps" } } }), 200);
  assert.deepEqual([drivers.overall, drivers.drivers], ["nps", []]);
}

async function exerciseCohorts() {
  const query = { granularity: "year", from: "2024-01-01", to: "2026-01-01" } as const;
  const cohorts = taken(await api.GET("/v1/cohorts", { params: { query } }), 200);
  assert.ok(typeof cohorts !== "string");
  assert.deepEqual(cohorts.rows.map((row) => row.period.key), ["2024", "2025"]);
  assert.ok(cohorts.rows.every((row) => row.cells.every((cell) => cell <= (row.cells[0] ?? 0))));
  const table = { ...query, format: "csv" } as const;
  const text = taken(await api.GET("/v1/cohorts", { params: { query: table }, parseAs: "text" }), 200);
  assert.ok(typeof text === "string");
  assert.match(text, /^period,from,to,cell,n\r\n2024,/);
}

async function exerciseTargets() {
  const path = { kpi: "nps" } as const;
  taken(await api.PUT("/v1/targets/{kpi}", { params: { path }, body: { healthy: 50, warning: 30 } }), 201);
  const moved = taken(await api.PUT("/v1/targets/{kpi}", { params: { path }, body: { healthy: 60, warning: 30 } }), 200);
  assert.deepEqual([moved.kpi, moved.healthy, moved.warning], ["nps", 60, 30]);
  assert.deepEqual(taken(await api.GET("/v1/targets"), 200).items, [moved]);
  expectStatus(await api.DELETE("/v1/targets/{kpi}", { params: { path } }), 204);
  refused(await api.GET("/v1/targets/{kpi}", { params: { path } }), 404, "not_found");
}

async function exerciseWorkspaceAndKeys() {
  const before = taken(await api.GET("/v1/workspace"), 200);
  const after = taken(await api.PATCH("/v1/workspace", { body: { settings: { response_window_days: 14 } } }), 200);
  assert.equal(after.settings.response_window_days, 14);
  assert.equal(after.name, before.name);

  const made = taken(await api.POST("/v1/keys", { body: { scope: "figures", name: "Painel" } }), 201);
  const keys = taken(await api.GET("/v1/keys"), 200);
  assert.ok(keys.items.some((key) => key.id === made.id && key.scope === "figures"));
  const panel = clientWith(made.key);
  const query = { period: "2026-09" };
  taken(await panel.GET("/v1/kpis", { params: { query } }), 200);
  refused(await panel.GET("/v1/customers"), 403, "forbidden_scope");
  refused(await panel.GET("/v1/keys"), 403, "forbidden_scope");
  const ended = { params: { path: { id: made.id } } };
  expectStatus(await api.DELETE("/v1/keys/{id}", ended), 204);
  refused(await api.DELETE("/v1/keys/{id}", ended), 404, "not_found");
  refused(await panel.GET("/v1/kpis", { params: { query } }), 401, "unauthorized");
}

async function exerciseService() {
  assert.equal(taken(await api.GET("/healthz"), 200).status, "ok");
  assert.equal(taken(await api.GET("/readyz"), 200).status, "ready");
  assert.match(taken(await api.GET("/metrics", { parseAs: "text" }), 200), /^vinculo_database_up 1$/m);
  assert.match(taken(await api.GET("/openapi.yaml", { parseAs: "text" }), 200), /^openapi: 3\.1/);
}

await exerciseRecords();
await exerciseRelationship();
await exerciseDependents();
await exerciseManyForms();
if (process.env["VINCULO_PROXIED"] === undefined) {
  await exerciseAtomicRefusal();
}
await exerciseFigures();
await exerciseFeedback();
await exerciseCohorts();
await exerciseTargets();
await exerciseWorkspaceAndKeys();
await exerciseService();
console.log(JSON.stringify(Object.fromEntries([...answers].map(([route, seen]) => [route, [...seen].sort()]))));
