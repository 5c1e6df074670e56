"""A seeded maker of records of all kinds, with what real data sets lack, and of corrections to them.

`batches()` is the order in which records are first sent, `correct()` changes a tenth of them and gives the
requests that do so; `records()` is what must then be stored. The same seed makes the same records.
"""
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from oracle.zones import DAY, day_start, periods

MICROSECOND = timedelta(microseconds=1)
SEGMENTS = ("basic", "pro", "enterprise", "São Paulo")
CHANNELS = ("web", "phone", "whatsapp", "loja física")
REASONS = ("price", "moved", "service", "competitor", None)
TOPICS = ("billing", "delivery", "bug", None)
AGENTS = ("ana", "bia", "caio", "zé", None)
TOUCHPOINTS = ("checkout", "entrega", "app", None, None)
CATEGORIES = ("anúncios", "feiras", "salários", None)
ASPECTS = ("communication", "empathy", "personalisation", "problem_solving", "trust")
COMMENTS = ("ótimo", "demorou\nmuito", "ok; \"mais ou menos\"", "não voltei", "👍 perfeito")
SIZES = {"customers": 260, "surveys": 2400, "interactions": 1300, "payments": 1500, "costs": 160, "actions": 700}
# Kinds that may come in any order and go without any other record minding.
LOOSE = ("interactions", "surveys", "payments", "costs", "actions")
KINDS = ("customers", "cancellations", "reactivations") + LOOSE
HUGE = 10 ** 12


class Generator:
    def __init__(self, seed, zone, first, last, size=1.0):
        self.random = random.Random(f"{seed} {zone}")
        self.zone, self.first, self.end = zone, first, last + DAY
        self.a, self.b = day_start(zone, first), day_start(zone, self.end)
        self.edges = [day_start(zone, p.first) for p in periods("month", first, self.end)] + self._changes()
        self.kept = {kind: {} for kind in KINDS}
        counts = {kind: int(count * size) for kind, count in SIZES.items()}
        self.people = [f"c/{i} é" if i % 50 == 0 else f"c{i}" for i in range(counts["customers"])]
        # Named by interactions and surveys before they exist; some of them come to exist later.
        self.ghosts = [f"ghost{i}" for i in range(12)]
        for name in self.people:
            self.kept["customers"][name] = self._customer(name)
            self._life(name)
        self.contacts = counts["interactions"]
        for i in range(self.contacts):
            self._keep("interactions", self._interaction(f"i{i}"))
        for i in range(counts["surveys"]):
            self._keep("surveys", self._survey(f"s{i}" if i % 90 else f"s?{i}#%2F"))
        self.last_payment = None
        for i in range(counts["payments"]):
            self._keep("payments", self._payment(f"p{i}"))
        for i in range(counts["costs"]):
            self._keep("costs", self._cost(f"k{i}"))
        # Surveys that actions are about, some of them about several; one in twelve does not exist.
        self.followed = self.random.sample(sorted(self.kept["surveys"]), counts["surveys"] // 5) + \
            [f"no-{i}" for i in range(counts["surveys"] // 60)]
        for i in range(counts["actions"]):
            self._keep("actions", self._action(f"a{i}"))

    def records(self):
        return {kind: list(rows.values()) for kind, rows in self.kept.items()}

    def batches(self):
        """[(kind, records)]: random order throughout, but life events come after all customers."""
        mixed = []
        for kind in ("customers", *LOOSE):
            mixed += self._split(kind)
        self.random.shuffle(mixed)
        rank = max(i for i, (kind, _) in enumerate(mixed) if kind == "customers") + 1
        tail = mixed[rank:] + self._split("cancellations") + self._split("reactivations")
        self.random.shuffle(tail)
        return mixed[:rank] + tail

    def correct(self):
        """Change, replace and delete a tenth of the records; [(method, kind, id, body, expected status)]."""
        requests = []
        for kind in (*LOOSE, "cancellations", "reactivations", "customers"):
            rows = self.kept[kind]
            for name in self.random.sample(sorted(rows), len(rows) // 10):
                done = getattr(self, f"_correct_{kind}")(name)
                if done:
                    requests.append(done)
        self.random.shuffle(requests)
        requests = self._settled(requests)
        for name in self.ghosts[::2]:
            body = self._customer(name)
            self.kept["customers"][name] = body
            requests.append(("POST", "customers", None, body, 201))
        gone = [r for r in requests if r[0] == "DELETE" and r[1] in LOOSE]
        for _, kind, name, _, _ in gone[::4]:
            body = self._made(kind, name)
            self._keep(kind, body)
            requests.append(("POST", kind, None, body, 201))
        return requests

    # -- moments -------------------------------------------------------------------------------------------

    def _changes(self):
        """Instants around each change of the clock: missing and repeated hours."""
        place, found = ZoneInfo(self.zone), []
        moment = self.a
        while moment < self.b:
            after = moment + timedelta(minutes=30)
            if moment.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
                found += [after + timedelta(minutes=m) for m in (-90, -31, 0, 1, 29, 61)] * 3
                found += [day_start(self.zone, after.astimezone(place).date() + n * DAY) for n in (0, 1)] * 3
            moment = after
        return found

    def _moment(self, low=None, high=None):
        low, high = low or self.a, high or self.b
        if self.random.random() < 0.2:
            edge = self.random.choice(self.edges) + self.random.choice((0, 0, -1, 1)) * MICROSECOND
            if low <= edge < high:
                return edge
        span = (high - low) // MICROSECOND
        moment = low + self.random.randrange(max(1, span)) * MICROSECOND
        if self.random.random() < 0.5:
            moment = moment.replace(microsecond=0)
        return max(low, moment)

    def _text(self, moment):
        """RFC 3339 in one of the ways clients write it."""
        way = self.random.randrange(4)
        if way == 0:
            return moment.astimezone(ZoneInfo(self.zone)).isoformat()
        if way == 1:
            return moment.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
        text = moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
        return text if way == 2 or "." in text else text.replace("Z", ".000Z")

    def _duration(self):
        if self.random.random() < 0.04:
            return timedelta(0)
        seconds = min(self.random.lognormvariate(9, 2.2), 80 * 86400)
        return timedelta(microseconds=round(seconds * 1e6) if self.random.random() < 0.5 else round(seconds) * 10**6)

    # -- records -------------------------------------------------------------------------------------------

    def _often(self, chance):
        return self.random.random() < chance

    def _label(self, names, chance=0.8):
        return self.random.choice(names) if self._often(chance) else None

    def _who(self):
        return self.random.choice(self.ghosts) if self._often(0.05) else self.random.choice(self.people)

    def _contact(self):
        """The id of an interaction; one in eleven does not exist."""
        return f"i{self.random.randrange(int(self.contacts * 1.1))}"

    def _keep(self, kind, record):
        self.kept[kind][record["id"]] = record

    def _split(self, kind):
        rows = list(self.kept[kind].values())
        self.random.shuffle(rows)
        cuts, at = [], 0
        while at < len(rows):
            size = self.random.choice((40, 170, 600))
            cuts.append((kind, rows[at:at + size]))
            at += size
        return cuts

    def _customer(self, name, high=None):
        started = self._moment(self.a - timedelta(days=250), high or self.b - timedelta(days=20))
        return _filled({"id": name, "started_at": self._text(started), "segment": self._label(SEGMENTS),
                        "channel": self._label(CHANNELS), "name": "Zé " + name if self._often(0.3) else None})

    def _start(self, name):
        return datetime.fromisoformat(self.kept["customers"][name]["started_at"])

    def _cancellation(self, id_, who, moment):
        return _filled({"id": id_, "customer_id": who, "cancelled_at": self._text(moment),
                        "voluntary": self.random.choice((True, False, None)), "reason": self.random.choice(REASONS)})

    def _reactivation(self, id_, who, moment):
        return {"id": id_, "customer_id": who, "reactivated_at": self._text(moment)}

    def _life(self, name):
        """A walk of cancellations and returns, with redundant ones and several at one instant."""
        moment = self._start(name)
        if not self._often(0.75):
            return
        active, n = True, 0
        if self._often(0.9):
            moment += self._gap()
        while moment < self.b and n < 9:
            redundant = self._often(0.15)
            if active != redundant:
                self._keep("cancellations", self._cancellation(f"{name}-x{9 - n}", name, moment))
            else:
                self._keep("reactivations", self._reactivation(f"{name}-r{9 - n}", name, moment))
            if not redundant:
                active = not active
            n += 1
            if self._often(0.25):
                break
            if self._often(0.12):
                continue
            later = [edge for edge in self.edges if edge >= moment]
            moment = min(later) if later and self._often(0.2) else moment + self._gap()

    def _gap(self):
        return timedelta(seconds=round(self.random.expovariate(1 / self.random.choice((2, 25, 160))) * 86400))

    def _interaction(self, id_):
        opened = self._moment()
        answered = opened + self._duration() if self._often(0.85) else None
        resolved = (answered or opened) + self._duration() if self._often(0.75) else None
        if resolved and answered and self._often(0.08):
            resolved, answered = answered, resolved
        closed = None
        if self._often(0.5 if resolved is None else 0.15):
            closed = max(opened, (resolved or opened) + self._duration() * self.random.choice((-1, 1, 1)))
        return _filled({
            "id": id_, "customer_id": self._who() if self._often(0.9) else None, "channel": self._label(CHANNELS),
            "segment": self._label(SEGMENTS, 0.15), "topic": self.random.choice(TOPICS),
            "agent": self.random.choice(AGENTS),
            "direction": self.random.choice(("inbound",) * 5 + ("outbound", None, None)),
            "bot": self.random.choice((True,) + (False,) * 4 + (None,) * 5), "opened_at": self._text(opened),
            "first_response_at": answered and self._text(answered), "resolved_at": resolved and self._text(resolved),
            "resolved_on_first_contact": resolved and self.random.choice((True, True, False, None)),
            "closed_at": closed and self._text(closed)})

    def _survey(self, id_):
        kind = self.random.choice(("nps",) * 7 + ("csat",) * 7 + ("ces",) * 5 + ("open",) * 2)
        record = {
            "id": id_, "type": kind, "customer_id": self._who() if self._often(0.9) else None,
            "segment": self._label(SEGMENTS, 0.2), "channel": self._label(CHANNELS, 0.3),
            "interaction_id": self._contact() if self._often(0.4) else None,
            "aspect": self.random.choice(ASPECTS) if kind != "open" and self._often(0.12) else None,
            "touchpoint": self.random.choice(TOUCHPOINTS),
            "solicited": self.random.choice((False, None, None, None, True, True))}
        score = self._scale(record)
        record = {name: value for name, value in record.items() if value is not None}
        sent = self._moment() if self._often(0.6) else None
        if sent:
            record["sent_at"] = self._text(sent)
            if self._often(0.25):
                return record
        answered = self._moment() if sent is None else sent + self._delay()
        record["answered_at"] = self._text(answered)
        if kind == "open":
            record["comment"] = self.random.choice(COMMENTS)
            return record
        if self._often(0.04):
            return {**record, "comment": self.random.choice(COMMENTS)}
        record["score"] = score
        if self._often(0.35):
            record["comment"] = self.random.choice(COMMENTS)
        return record

    def _scale(self, record):
        """Set a scale of the type; a score on it."""
        if record["type"] == "nps":
            return self.random.randrange(11)
        if record["type"] == "csat":
            low, top = self.random.choice(((None, None), (1, 5), (None, 5), (1, 2), (None, 3), (1, 4), (None, 6),
                                           (1, 7), (1, 10), (0, 10), (0, 10)))
            record["scale_min"], record["scale_max"] = low, top
            return self.random.randrange(1 if low is None else low, (top or 5) + 1)
        if record["type"] == "ces":
            record["scale_max"] = self.random.choice((None, 5, 7))
            record["direction"] = self.random.choice((None, "high_is_easy", "low_is_easy"))
            return self.random.randrange(1, (record["scale_max"] or 7) + 1)
        return None

    def _delay(self):
        """From invitation to answer; the thirtieth day to the microsecond now and then."""
        limit = timedelta(days=30)
        return self.random.choice((limit, limit + MICROSECOND, limit - MICROSECOND, limit + self._duration())
                                  + (self._duration(),) * 12)

    def _payment(self, id_):
        """Refunds, nothing, huge sums; of nobody and of people unknown; the last customer again, on the same day or
        on both sides of midnight."""
        amount = round(self.random.lognormvariate(8, 1.5))
        amount = self.random.choice((0, -amount, -amount) + (amount,) * 14)
        if self._often(0.004):
            amount = self.random.choice((-HUGE, HUGE))
        who = self._who() if self._often(0.92) else None
        moment = self._moment()
        if self.last_payment and self._often(0.3):
            who, last = self.last_payment
            following = day_start(self.zone, last.astimezone(ZoneInfo(self.zone)).date() + DAY)
            moment = self.random.choice((last + timedelta(minutes=7), following, following - MICROSECOND))
            moment = max(self.a, min(moment, self.b - MICROSECOND))
        if who:
            self.last_payment = who, moment
        return _filled({"id": id_, "customer_id": who, "amount": amount, "paid_at": self._text(moment),
                        "segment": self._label(SEGMENTS, 0.15), "currency": "BRL" if self._often(0.3) else None})

    def _cost(self, id_):
        amount = round(self.random.lognormvariate(9, 1))
        return _filled({"id": id_, "amount": self.random.choice((0, -amount, *(amount,) * 8)),
                        "incurred_at": self._text(self._moment()), "category": self.random.choice(CATEGORIES),
                        "channel": self._label(CHANNELS, 0.6), "segment": self._label(SEGMENTS, 0.5)})

    def _action(self, id_):
        """Mostly about answers, done around 48 and 168 hours after them, some before; open and dismissed ones too."""
        record = {"id": id_, "title": "Ligar", "customer_id": self._who() if self._often(0.5) else None,
                  "survey_id": self.random.choice(self.followed) if self._often(0.95) else None,
                  "interaction_id": self._contact() if self._often(0.3) else None,
                  "topic": self.random.choice(TOPICS)}
        answer = self.kept["surveys"].get(record["survey_id"], {})
        text = answer.get("answered_at") or answer.get("sent_at") or self._text(self._moment())
        moment = datetime.fromisoformat(text)
        record["status"] = self.random.choice((None, "open", "dismissed") + ("done",) * 5)
        after = self.random.choice((timedelta(0), -MICROSECOND, timedelta(hours=-5), timedelta(hours=48),
                                    timedelta(hours=168), timedelta(hours=168) + MICROSECOND,
                                    timedelta(hours=48) + MICROSECOND) + (self._duration(),) * 7)
        done = moment + after
        opened = min(moment, done) - self.random.choice((timedelta(0), timedelta(hours=1), self._duration()))
        record["opened_at"] = self._text(opened)
        if record["status"] == "done":
            record["done_at"] = self._text(done)
        if self._often(0.4):
            record["due_at"] = self._text(opened + timedelta(days=7))
        return _filled(record)

    def _made(self, kind, name):
        return {"surveys": self._survey, "interactions": self._interaction, "payments": self._payment,
                "costs": self._cost, "actions": self._action}[kind](name)

    # -- corrections ---------------------------------------------------------------------------------------

    def _change(self, kind, name, changes):
        """PATCH: null takes a field away."""
        merged = {**self.kept[kind][name], **changes}
        self._keep(kind, _filled(merged))
        return "PATCH", kind, name, changes, 200

    def _replace(self, kind, name, record):
        self._keep(kind, record)
        return "PUT", kind, name, record, 200

    def _delete(self, kind, name):
        del self.kept[kind][name]
        return "DELETE", kind, name, None, 204

    def _correct_surveys(self, name):
        old = self.kept["surveys"][name]
        way = self.random.random()
        if way < 0.2:
            return self._delete("surveys", name)
        if way < 0.55:
            return self._replace("surveys", name, self._survey(name))
        if "answered_at" not in old:
            answered = datetime.fromisoformat(old["sent_at"]) + self._delay()
            changes = {"answered_at": self._text(answered), "comment": self.random.choice(COMMENTS)}
            if old["type"] != "open":
                low, top = _range(old)
                changes["score"] = self.random.randint(low, top)
            return self._change("surveys", name, changes)
        changes = self.random.choice((
            {"segment": self._label(SEGMENTS, 0.5)}, {"channel": self._label(CHANNELS, 0.5)},
            {"customer_id": self._who()}, {"interaction_id": None}, {"solicited": self._often(0.5)},
            {"interaction_id": self._contact()}, {"touchpoint": self.random.choice(TOUCHPOINTS)},
            {"answered_at": self._text(self._moment()), "sent_at": None}))
        if "score" in old and self._often(0.5):
            changes = {**changes, "score": self.random.randint(*_range(old))}
        return self._change("surveys", name, changes)

    def _correct_interactions(self, name):
        way = self.random.random()
        if way < 0.2:
            return self._delete("interactions", name)
        if way < 0.6:
            return self._replace("interactions", name, self._interaction(name))
        return self._change("interactions", name, self.random.choice((
            {"resolved_at": None, "resolved_on_first_contact": None}, {"closed_at": None},
            {"first_response_at": None}, {"channel": self._label(CHANNELS, 0.6)}, {"customer_id": self._who()},
            {"topic": self.random.choice(TOPICS)}, {"agent": self.random.choice(AGENTS)},
            {"segment": self._label(SEGMENTS, 0.5)}, {"bot": self._often(0.5)},
            {"direction": self.random.choice(("outbound", "inbound"))})))

    def _correct_loose(self, kind, name, changes):
        way = self.random.random()
        if way < 0.25:
            return self._delete(kind, name)
        if way < 0.55:
            return self._replace(kind, name, self._made(kind, name))
        return self._change(kind, name, self.random.choice(changes))

    def _correct_payments(self, name):
        return self._correct_loose("payments", name, (
            {"amount": self.random.choice((0, 1, -4200, 99900))}, {"customer_id": self._who()}, {"customer_id": None},
            {"segment": self._label(SEGMENTS, 0.6)}, {"paid_at": self._text(self._moment())}))

    def _correct_costs(self, name):
        return self._correct_loose("costs", name, (
            {"amount": self.random.choice((0, 1, -4200, 99900))}, {"category": self.random.choice(CATEGORIES)},
            {"segment": self._label(SEGMENTS, 0.6)}, {"channel": self._label(CHANNELS, 0.6)},
            {"incurred_at": self._text(self._moment())}))

    def _correct_actions(self, name):
        """Done by now, taken up again, given up, or about another answer."""
        old = self.kept["actions"][name]
        changes = [{"survey_id": self.random.choice(self.followed)}, {"survey_id": None}]
        changes += [{"status": status, **({"done_at": None} if "done_at" in old else {})}
                    for status in ("open", "dismissed")]
        opened = datetime.fromisoformat(old["opened_at"])
        changes.append({"status": "done", "done_at": self._text(opened + self._duration())})
        return self._correct_loose("actions", name, changes)

    def _event(self, kind, name):
        """Another customer's, or another moment of the same customer's life."""
        who = self.random.choice(self.people) if self._often(0.3) else self.kept[kind][name]["customer_id"]
        # From the present start on: a corrected customer may start earlier, never later.
        moment = self._start(who) + (timedelta(0) if self._often(0.1) else self._gap())
        moment = min(moment, self.b)
        make = self._cancellation if kind == "cancellations" else self._reactivation
        return make(name, who, moment)

    def _correct_events(self, kind, name):
        way = self.random.random()
        if way < 0.25:
            return self._delete(kind, name)
        if way < 0.7 or kind == "reactivations":
            return self._replace(kind, name, self._event(kind, name))
        return self._change(kind, name, {"voluntary": self.random.choice((True, False, None)),
                                         "reason": self.random.choice(REASONS)})

    def _correct_cancellations(self, name):
        return self._correct_events("cancellations", name)

    def _correct_reactivations(self, name):
        return self._correct_events("reactivations", name)

    def _correct_customers(self, name):
        way = self.random.random()
        if way < 0.3 and not self._has_events(name):
            return self._delete("customers", name)
        if way < 0.6:
            # Starting earlier never passes a life event.
            return self._replace("customers", name, self._customer(name, self._start(name)))
        return self._change("customers", name, {"segment": self._label(SEGMENTS), "channel": self._label(CHANNELS)})

    def _has_events(self, name):
        return any(row["customer_id"] == name for kind in ("cancellations", "reactivations")
                   for row in self.kept[kind].values())

    def _settled(self, requests):
        """Events first: a customer can be deleted, and start later, only when they are where they belong."""
        return sorted(requests, key=lambda request: request[1] == "customers")


def _filled(record):
    return {name: value for name, value in record.items() if value is not None}


def _range(survey):
    if survey["type"] == "nps":
        return 0, 10
    top = survey.get("scale_max") or (5 if survey["type"] == "csat" else 7)
    return survey.get("scale_min", 1), top


def spans(made):
    """The periods that a generated set is asked for: every month, quarter and year, weeks, days, odd ranges."""
    asked = {granularity: periods(granularity, made.first, made.end)
             for granularity in ("month", "quarter", "year", "week")}
    place = ZoneInfo(made.zone)
    centres = sorted({edge.astimezone(place).date() for edge in made.edges}) or [made.first]
    middle = centres[len(centres) // 2]
    asked["day"] = periods("day", middle - 45 * DAY, middle + 45 * DAY)
    return asked
