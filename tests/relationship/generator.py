"""Seeded customers whose leaving depends on how content they are, in a strength that is known."""

import math
import random
from datetime import datetime, timedelta, timezone

BEGIN = datetime(2023, 1, 1, tzinfo=timezone.utc)
MONTHS = 24
MONTH = timedelta(days=30)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def chance(logit):
    return 1 / (1 + math.exp(-logit))


class Shop:
    """Each customer has a contentment drawn from N(0, 1). It moves scores, contacts, solutions and purchases,
    and the logit of leaving in a month by `-strength` per unit: at strength 0 nothing tells who will leave."""

    def __init__(self, seed, customers, strength):
        self.random = random.Random(seed)
        self.strength = strength
        self.contentment = {}
        self.records = {kind: [] for kind in ("customers", "surveys", "interactions", "payments",
                                              "cancellations", "reactivations", "actions")}
        for number in range(customers):
            self.live(f"g{number:05}")

    def add(self, kind, **fields):
        record = {"id": f"{kind[0]}{len(self.records[kind])}", **fields}
        self.records[kind].append(record)
        return record

    def moment(self, month):
        return BEGIN + month * MONTH + timedelta(seconds=self.random.randrange(30 * 86400))

    def live(self, customer):
        content = self.contentment[customer] = self.random.gauss(0, 1)
        start = BEGIN + timedelta(seconds=self.random.randrange(18 * 30 * 86400))
        self.records["customers"].append({"id": customer, "started_at": text(start),
                                          "segment": self.random.choice(["a", "b", None])})
        for month in range((start - BEGIN) // MONTH + 1, MONTHS):
            self.month(customer, content, month)
            if self.random.random() < chance(-3.4 - self.strength * content):
                gone = BEGIN + (month + 1) * MONTH
                self.add("cancellations", customer_id=customer, cancelled_at=text(gone))
                if self.random.random() < 0.9 or month + 4 >= MONTHS:
                    return
                self.add("reactivations", customer_id=customer, reactivated_at=text(gone + 2 * MONTH))

    def month(self, customer, content, month):
        mood = content + self.random.gauss(0, 1)
        if self.random.random() < 0.15:
            self.survey(customer, "nps", max(0, min(10, round(7.5 + 1.8 * mood))), month)
        if self.random.random() < 0.1:
            self.survey(customer, "ces", max(1, min(7, round(4.7 + 1.2 * mood))), month, direction="low_is_easy"
                        if self.random.random() < 0.3 else "high_is_easy")
        if self.random.random() < chance(-1.3 - 0.5 * content):
            self.contact(customer, mood, month)
        if self.random.random() < chance(-0.7 + 0.5 * content):
            self.add("payments", customer_id=customer, paid_at=text(self.moment(month)),
                     amount=self.random.randrange(1000, 20000))
            if mood < -2:
                self.add("payments", customer_id=customer, paid_at=text(self.moment(month)), amount=-1000)

    def survey(self, customer, kind, score, month, **fields):
        if fields.get("direction") == "low_is_easy":
            score = 8 - score
        survey = self.add("surveys", customer_id=customer, type=kind, score=score, **fields,
                          answered_at=text(self.moment(month)))
        if self.random.random() < 0.1:
            at = datetime.fromisoformat(survey["answered_at"].replace("Z", "+00:00"))
            self.add("actions", customer_id=customer, survey_id=survey["id"], title="Call", status="done",
                     opened_at=text(at), done_at=text(at + timedelta(days=3)))

    def contact(self, customer, mood, month):
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            opened = self.moment(month)
            interaction = self.add("interactions", customer_id=customer, opened_at=text(opened),
                                   first_response_at=text(opened + timedelta(hours=2)))
            if self.random.random() < 0.95:
                interaction["resolved_at"] = text(opened + timedelta(hours=self.random.randrange(3, 400)))
            if self.random.random() < 0.4:
                survey = max(1, min(5, round(3.6 + mood)))
                self.survey(customer, "csat", survey, month)
