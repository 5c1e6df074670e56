"""Many clients that post, correct, delete and read records of their own until told to pause."""

import collections
import http.client
import json
import random
import threading
import time
import urllib.parse

from fault.model import ABSENT, Record
from support.client import Client

TIME = "2025-03-04T10:00:00Z"
SLOWEST_S = 15  # no request may take longer, whatever happens
FIELDS = {"surveys": ("score", "comment"), "cancellations": ("reason",)}
LOST = (OSError, http.client.HTTPException)


def content_of(kind, record):
    return tuple(sorted((name, record[name]) for name in FIELDS[kind]))


class Actor(threading.Thread):
    """One client with records of its own."""

    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load = load
        self.random = random.Random(number)
        self.kind = "cancellations" if number % 8 == 0 else "surveys"
        self.records = [Record(self.kind, f"{number}/{at}") for at in range(12)]
        self.client = Client(load.url, load.key, timeout_s=SLOWEST_S + 5)
        self.number = number

    def run(self):
        while self.load.may_go():
            try:
                self.step()
            except BaseException as error:  # the thread's end would hide it
                self.load.failures.append(error)
                self.load.went()
                return
            self.load.went()

    def make(self):
        """(content, body): what the model keeps of a record, and all of it."""
        if self.kind == "cancellations":
            made = {"reason": self.random.choice(("price", "service", "other"))}
            fixed = {"customer_id": "customer", "cancelled_at": TIME}
        else:
            made = {"score": self.random.randint(0, 10), "comment": self.random.choice("abc")}
            fixed = {"type": "nps", "answered_at": TIME}
        return tuple(sorted(made.items())), {**fixed, **made}

    def step(self):
        if self.random.random() < 0.1:
            self.post_many()
            return
        record = self.random.choice(self.records)
        method = self.random.choice(("POST", "POST", "PUT", "PATCH", "DELETE", "GET"))
        content, body = self.make()
        path = f"/v1/{self.kind}/{urllib.parse.quote(record.id, safe='')}"
        if method == "POST":
            path, body = f"/v1/{self.kind}", {"id": record.id, **body}
        elif method == "PATCH":
            content = (self.random.choice(content),)
            body = dict(content)
        elif method in ("GET", "DELETE"):
            content, body = None, None
        answer = self.send(method, path, None if body is None else json.dumps(body),
                           "application/json", [(record, content)])
        if answer is None:
            return
        shown = content_of(self.kind, answer.json()) if answer.status in (200, 201) else None
        record.acknowledged(method, content, answer.status, shown)

    def post_many(self):
        batch = [(record, *self.make()) for record in self.random.sample(self.records, 6)]
        lines = "".join(json.dumps({"id": record.id, **body}) + "\n" for record, _, body in batch)
        answer = self.send("POST", f"/v1/{self.kind}", lines, "application/x-ndjson",
                           [(record, content) for record, content, _ in batch])
        if answer is None:
            return
        statuses = {"created": 201, "unchanged": 200, "rejected": 409}
        assert answer.status in (200, 207, 422), answer
        for (record, content, _), result in zip(batch, answer.json()["results"], strict=True):
            record.acknowledged("POST", content, statuses[result["outcome"]])

    def send(self, method, path, body, media, touched):
        """The answer, or None where it leaves open what happened."""
        begun = time.monotonic()
        try:
            answer = self.client.request(method, path, body, {"Content-Type": media})
        except ConnectionRefusedError:
            time.sleep(0.02)
            return None
        except LOST as error:
            self.load.count("no answer", time.monotonic() - begun)
            for record, content in touched:
                record.unknown(method, content, type(error).__name__)
            return None
        self.load.count(answer.status, time.monotonic() - begun)
        if answer.status == 503:
            self.check_refusal(answer)
            for record, content in touched:
                record.unknown(method, content, 503)
            time.sleep(0.02)
            return None
        return answer

    def check_refusal(self, answer):
        assert int(answer.headers["Retry-After"]) > 0, answer
        if "problem+json" in answer.headers["Content-Type"]:
            assert answer.json()["code"] in ("unavailable", "queue_full", "shutting_down"), answer
        else:
            assert answer.json()["received"] >= 0, answer  # a stream's counts so far


class Load:
    """Runs the actors, and lets them pause together."""

    def __init__(self, url, key, actors):
        self.url = url
        self.key = key
        self.condition = threading.Condition()
        self.running = False
        self.ended = False
        self.busy = 0
        self.failures = []
        self.answers = collections.Counter()
        self.slowest_s = 0.0
        self.actors = [Actor(self, number) for number in range(actors)]
        for actor in self.actors:
            actor.start()

    def may_go(self):
        with self.condition:
            while not self.running and not self.ended:
                self.condition.wait()
            if self.ended:
                return False
            self.busy += 1
            return True

    def went(self):
        with self.condition:
            self.busy -= 1
            self.condition.notify_all()

    def count(self, what, seconds):
        with self.condition:
            self.answers[what] += 1
            self.slowest_s = max(self.slowest_s, seconds)

    def go(self):
        with self.condition:
            self.running = True
            self.condition.notify_all()

    def pause(self):
        """Waits until no request is under way."""
        with self.condition:
            self.running = False
            idle = self.condition.wait_for(lambda: self.busy == 0, timeout=SLOWEST_S + 10)
        assert idle, "a request hangs"
        if self.failures:
            raise self.failures[0]

    def end(self):
        with self.condition:
            self.ended = True
            self.condition.notify_all()
        for actor in self.actors:
            actor.join(SLOWEST_S + 10)

    def records(self):
        return [record for actor in self.actors for record in actor.records]


def present(records, kind):
    """How many records of the kind are stored; each must have one state left."""
    states = [record.states for record in records if record.kind == kind]
    assert all(len(states_of_one) == 1 for states_of_one in states)
    return sum(next(iter(one)) is not ABSENT for one in states)
