"""A random history of one workspace, and the facts that remain of it.

The facts are kept by the rules of the contract alone: a refused change leaves them as they are, a
merge patch follows RFC 7396. Every time is given, so that nothing depends on the clock.
"""

import datetime
import json
import random
import urllib.parse

KINDS = ("customers", "surveys", "interactions", "cancellations", "reactivations", "payments", "costs", "actions")
LIFE = {"cancellations": "cancelled_at", "reactivations": "reactivated_at"}
FIRST_DAY = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
DAYS = 456  # to the end of March 2025
SEGMENTS = ("gold", "silver", "café & co", None)
CHANNELS = ("web", "phone", None)
# How many ids there are of each kind: few enough that histories meet themselves again and again.
IDS = {"customers": 30, "surveys": 220, "interactions": 120, "cancellations": 40, "reactivations": 25,
       "payments": 120, "costs": 50, "actions": 80}


def text_of(moment):
    return moment.isoformat().replace("+00:00", "Z")


def moment_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def merge(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def path_of(kind, record_id):
    return f"/v1/{kind}/{urllib.parse.quote(record_id, safe='')}"


class Maker:
    """Random valid records. Moments cluster on ties, midnights and ends of months."""

    def __init__(self, seed, facts=None):
        self.random = random.Random(seed)
        self.facts = facts

    def choose(self, *options):
        return self.random.choice(options)

    def moment(self):
        day = FIRST_DAY + datetime.timedelta(days=self.random.randrange(DAYS))
        shape = self.random.random()
        if shape < 0.2:
            day = day.replace(day=1)
        if shape < 0.4:
            return day + datetime.timedelta(hours=self.choose(0, 2, 3))
        return day + datetime.timedelta(microseconds=self.random.randrange(86_400_000_000))

    def after(self, moment):
        """A later moment, or none."""
        if self.random.random() < 0.3:
            return None
        return text_of(moment + datetime.timedelta(seconds=self.choose(
            0, 1, 60, 3600, self.random.randrange(5_000_000))))

    def record_id(self, kind):
        return f"{kind[0]}/{self.random.randrange(IDS[kind])}"

    def record(self, kind):
        """Fields but the id, absent ones left out."""
        made = getattr(self, kind)()
        return {name: value for name, value in made.items() if value is not None}

    def customers(self):
        early = FIRST_DAY - datetime.timedelta(days=self.random.randrange(100))
        return {"started_at": text_of(self.choose(early, early, self.moment())),
                "segment": self.choose(*SEGMENTS), "channel": self.choose(*CHANNELS),
                "name": self.choose(None, "Ana", "João")}

    def surveys(self):
        kind = self.choose("nps", "nps", "csat", "ces", "open")
        at = self.moment()
        made = {"type": kind, "customer_id": self.choose(None, self.record_id("customers")),
                "interaction_id": self.choose(None, None, self.record_id("interactions")),
                "segment": self.choose(None, None, *SEGMENTS), "channel": self.choose(None, *CHANNELS),
                "aspect": self.choose(None, None, None, "trust"),
                "solicited": self.choose(None, None, None, True, False)}
        if kind == "csat":
            made["scale_max"] = self.choose(None, 2, 3, 4, 5, 6, 7, 10)
        if kind == "ces":
            made["scale_max"] = self.choose(None, 5, 7)
            made["direction"] = self.choose(None, "low_is_easy", "high_is_easy")
        invited = self.random.random() < 0.4
        answered = not invited or self.random.random() < 0.6
        if invited:
            made["sent_at"] = text_of(at)
        if answered:
            late = datetime.timedelta(days=self.choose(0, 1, 29, 30, 31, 60)) if invited else \
                datetime.timedelta(0)
            made["answered_at"] = text_of(at + late)
            made["comment"] = self.choose(None, "ótimo", "ruim") if kind != "open" else "só um texto"
            if kind != "open":
                top = {"nps": 10, "csat": 5, "ces": 7}[kind]
                made["score"] = self.random.randint(0 if kind == "nps" else 1,
                                                    made.get("scale_max") or top)
        return made

    def interactions(self):
        at = self.moment()
        resolved = self.after(at)
        return {"opened_at": text_of(at), "first_response_at": self.after(at), "resolved_at": resolved,
                "closed_at": self.after(at),
                "resolved_on_first_contact": self.choose(None, True, False) if resolved else None,
                "direction": self.choose(None, None, "inbound", "outbound"),
                "bot": self.choose(None, None, True, False),
                "customer_id": self.choose(None, self.record_id("customers")),
                "segment": self.choose(None, None, *SEGMENTS), "channel": self.choose(*CHANNELS),
                "agent": self.choose(None, "Bia")}

    def cancellations(self):
        return {"customer_id": self.record_id("customers"), "cancelled_at": text_of(self.moment()),
                "reason": self.choose(None, "price", "service"),
                "voluntary": self.choose(None, True, False)}

    def reactivations(self):
        return {"customer_id": self.record_id("customers"), "reactivated_at": text_of(self.moment())}

    def payments(self):
        return {"customer_id": self.choose(None, *(self.record_id("customers") for _ in range(4))),
                "amount": self.choose(0, 1, self.random.randrange(100_000), -self.random.randrange(5_000)),
                "paid_at": text_of(self.moment()), "segment": self.choose(None, None, *SEGMENTS)}

    def costs(self):
        return {"amount": self.choose(self.random.randrange(50_000), -self.random.randrange(1_000)),
                "incurred_at": text_of(self.moment()), "category": self.choose(None, "ads", "rent"),
                "segment": self.choose(*SEGMENTS), "channel": self.choose(*CHANNELS)}

    def actions(self):
        """Mostly done about an answer that is there, around the 168 hours after it."""
        answered = sorted((name, fact["answered_at"]) for name, fact in self.facts["surveys"].items()
                          if "answered_at" in fact)
        survey, moment = self.choose(*answered) if answered else (self.record_id("surveys"), text_of(self.moment()))
        status = self.choose(None, "dismissed", "done", "done", "done")
        seconds = self.choose(-1, 0, 3600, 48 * 3600, 167 * 3600, 168 * 3600, 168 * 3600 + 1)
        return {"survey_id": self.choose(survey, survey, survey, None, self.record_id("surveys")), "title": "Ligar",
                "status": status, "opened_at": text_of(FIRST_DAY - datetime.timedelta(days=1)),
                "done_at": text_of(moment_of(moment) + datetime.timedelta(seconds=seconds))
                if status == "done" else None}


class World:
    """The facts of one workspace, and the operations that change them over HTTP."""

    def __init__(self, client, seed):
        self.client = client
        self.facts = {kind: {} for kind in KINDS}
        self.make = Maker(seed, self.facts)

    def refusal(self, kind, record_id, record):
        """The code with which the contract refuses to store this record now, or None."""
        if kind in LIFE:
            customer = self.facts["customers"].get(record["customer_id"])
            if customer is None:
                return "unknown_customer"
            if moment_of(record[LIFE[kind]]) < moment_of(customer["started_at"]):
                return "before_start"
        if kind == "customers":
            start = moment_of(record["started_at"])
            for life, field in LIFE.items():
                for event in self.facts[life].values():
                    if event["customer_id"] == record_id and moment_of(event[field]) < start:
                        return "before_start"
        return None

    def has_dependents(self, kind, record_id):
        return kind == "customers" and any(
            event["customer_id"] == record_id for life in LIFE for event in self.facts[life].values())

    def check(self, answer, expected, what):
        assert answer.status == expected, (what, answer)
        if answer.status in (200, 201):
            shown = answer.json()
            for name, value in what[2].items():
                same = moment_of(shown[name]) == moment_of(value) if name.endswith("_at") else \
                    shown[name] == value
                assert same, (what, shown)

    def post(self, kind, record_id, record):
        present = self.facts[kind].get(record_id)
        answer = self.client.post(f"/v1/{kind}", {"id": record_id, **record})
        if present is None and self.refusal(kind, record_id, record):
            expected = 422
        elif present is None:
            expected = 201
            self.facts[kind][record_id] = record
        else:
            expected = None  # same content or conflict: either way nothing changes
            assert answer.status in ((200, 201) if present == record else (200, 409, 422)), answer
        if expected:
            self.check(answer, expected, ("POST", record_id, record))

    def put(self, kind, record_id, record):
        answer = self.client.put(path_of(kind, record_id), record)
        if self.refusal(kind, record_id, record):
            expected = 422
        else:
            expected = 200 if record_id in self.facts[kind] else 201
            self.facts[kind][record_id] = record
        self.check(answer, expected, ("PUT", record_id, record))

    def patch(self, kind, record_id, patch):
        present = self.facts[kind].get(record_id)
        answer = self.client.patch(path_of(kind, record_id), patch)
        if present is None:
            assert answer.status == 404, answer
            return
        merged = merge(present, patch)
        if self.refusal(kind, record_id, merged):
            expected = 422
        else:
            expected = 200
            self.facts[kind][record_id] = merged
        self.check(answer, expected, ("PATCH", record_id, merged))

    def delete(self, kind, record_id):
        answer = self.client.delete(path_of(kind, record_id))
        if record_id not in self.facts[kind]:
            expected = 404
        elif self.has_dependents(kind, record_id):
            expected = 409
        else:
            expected = 204
            del self.facts[kind][record_id]
        assert answer.status == expected, (kind, record_id, answer)

    def post_many(self, kind, records):
        answer = self.client.post_ndjson(f"/v1/{kind}", [{"id": name, **record}
                                                         for name, record in records])
        summary = answer.json()
        assert summary["received"] == len(records)
        for (name, record), result in zip(records, summary["results"]):
            present = self.facts[kind].get(name)
            if present is not None:
                assert result["outcome"] in ("unchanged", "rejected"), result
            elif self.refusal(kind, name, record):
                assert result["outcome"] == "rejected", result
            else:
                assert result["outcome"] == "created", result
                self.facts[kind][name] = record

    def random_patch(self, kind, record_id):
        """A patch under which a valid record stays valid."""
        make = self.make
        patches = {
            "customers": ({"segment": make.choose(*SEGMENTS)}, {"channel": make.choose(*CHANNELS)},
                          {"started_at": text_of(make.moment())}, {}),
            "surveys": ({"segment": make.choose(*SEGMENTS)}, {"aspect": make.choose(None, "trust")},
                        {"solicited": make.choose(True, False)}, {"channel": make.choose(*CHANNELS)},
                        {"customer_id": make.choose(None, make.record_id("customers"))},
                        {"interaction_id": make.choose(None, make.record_id("interactions"))}),
            "interactions": ({"channel": make.choose(*CHANNELS)}, {"segment": make.choose(*SEGMENTS)},
                             {"bot": make.choose(True, False)}, {"first_response_at": None},
                             {"resolved_at": None, "resolved_on_first_contact": None},
                             {"customer_id": make.choose(None, make.record_id("customers"))}),
            "cancellations": ({"cancelled_at": text_of(make.moment())},
                              {"reason": make.choose(None, "price")},
                              {"voluntary": make.choose(None, True)},
                              {"customer_id": make.record_id("customers")}),
            "reactivations": ({"reactivated_at": text_of(make.moment())},
                              {"customer_id": make.record_id("customers")}),
            "payments": ({"amount": make.random.randrange(-500, 9_000)}, {"paid_at": text_of(make.moment())},
                         {"segment": make.choose(*SEGMENTS)},
                         {"customer_id": make.choose(None, make.record_id("customers"))}),
            "costs": ({"amount": make.random.randrange(-500, 9_000)}, {"category": make.choose(None, "ads")},
                      {"incurred_at": text_of(make.moment())}),
            "actions": ({"status": "dismissed", "done_at": None}, {"survey_id": make.record_id("surveys")},
                        {"title": "Escrever"}),
        }
        present = self.facts[kind].get(record_id)
        if kind == "surveys" and present and "sent_at" in present and "answered_at" not in present \
                and present["type"] == "nps" and make.choose(True, False):
            answered = moment_of(present["sent_at"]) + datetime.timedelta(days=2)
            return {"score": make.random.randint(0, 10), "answered_at": text_of(answered)}
        return make.choose(*patches[kind])

    def step(self):
        """One random operation."""
        make = self.make
        kind = make.choose(*KINDS, "surveys", "surveys", "interactions", "customers", "actions")
        record_id = make.record_id(kind)
        action = make.random.random()
        if action < 0.35:
            self.post(kind, record_id, make.record(kind))
        elif action < 0.55:
            self.put(kind, record_id, make.record(kind))
        elif action < 0.75:
            self.patch(kind, record_id, self.random_patch(kind, record_id))
        elif action < 0.9:
            self.delete(kind, record_id)
        else:
            self.post_many(kind, [(make.record_id(kind), make.record(kind))
                                  for _ in range(make.random.randrange(1, 40))])

    def replay_into(self, client, seed):
        """Posts the remaining facts elsewhere in another order; life events after their customers."""
        order = random.Random(seed)
        early = [(kind, name) for kind in KINDS if kind not in LIFE for name in self.facts[kind]]
        order.shuffle(early)
        late = [(kind, name) for kind in LIFE for name in self.facts[kind]]
        order.shuffle(late)
        for part in (early, late):
            while part:
                kind = part[-1][0]
                batch = []
                while part and part[-1][0] == kind and len(batch) < 7:
                    batch.append({"id": part[-1][1], **self.facts[kind][part.pop()[1]]})
                answer = client.post_ndjson(f"/v1/{kind}", batch)
                assert answer.status == 200 and answer.json()["created"] == len(batch), answer

    def check_records(self):
        """What the service holds is what the model holds."""
        for kind in KINDS:
            for at in range(IDS[kind]):
                record_id = f"{kind[0]}/{at}"
                answer = self.client.get(path_of(kind, record_id))
                record = self.facts[kind].get(record_id)
                if record is None:
                    assert answer.status == 404, answer
                else:
                    self.check(answer, 200, ("GET", record_id, record))


PERIODS = ([f"{year}-{month:02}" for year, months in ((2024, range(1, 13)), (2025, range(1, 5)))
            for month in months] +
           ["2023-12", "2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2025-Q1", "2023", "2024", "2025",
            "2024-W01", "2024-W09", "2024-W52", "2025-W01", "2024-02-29", "2024-03-01", "2024-12-31"])
RANGES = (("2024-01-15", "2024-03-17"), ("2023-06-01", "2025-06-01"), ("2024-12-31", "2025-01-01"))
FILTERS = ({}, {"segment": "gold"}, {"segment": "café & co"}, {"channel": "web"},
           {"segment": "silver", "channel": "phone"}, {"segment": "nobody has it"})


def figures(client, periods=PERIODS, ranges=RANGES, filters=FILTERS):
    """Every KPI answer of every period and filter, by (period, filter)."""
    asked = [{"period": key} for key in periods] + [{"from_": a, "to": b} for a, b in ranges]
    answers = {}
    for given in filters:
        for period in asked:
            answer = client.get("/v1/kpis", **period, **given)
            assert answer.status == 200, answer
            key = (json.dumps(period, sort_keys=True), json.dumps(given, sort_keys=True))
            answers[key] = answer.json()
    return answers
