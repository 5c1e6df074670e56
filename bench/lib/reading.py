"""Latencies of single GETs that no cache can answer: a record is posted before each."""

import http.client
import itertools
import json
import statistics
import threading
import time
import urllib.parse

from bench.lib.load import runs

PREFIX = "bench-"  # of the ids posted here, so that they can be removed
numbers = itertools.count(1)


def survey():
    number = next(numbers)
    return {"id": f"{PREFIX}{next(runs)}-{number}", "type": "nps", "score": number % 11,
            "segment": f"segment-{number % 5}", "channel": f"channel-{number % 4}", "touchpoint": "touchpoint-1",
            "answered_at": "2026-09-14T12:34:56Z"}


class Client:
    """One kept-alive connection."""

    def __init__(self, contestant):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(contestant.url).netloc, timeout=30)
        self.headers = {"Authorization": f"Bearer {contestant.key}"}

    def get(self, path):
        """(status, ms)"""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, (time.perf_counter() - began) * 1000

    def post(self, body):
        self.connection.request("POST", "/v1/surveys", json.dumps(body),
                                headers={**self.headers, "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"POST: {answer.status} {text[:300]}")

    def change(self, method, key, body):
        """PATCHes (merges `body`) or DELETEs one survey."""
        self.connection.request(method, f"/v1/surveys/{key}", None if body is None else json.dumps(body),
                                headers={**self.headers, "Content-Type": "application/merge-patch+json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{method}: {answer.status} {text[:300]}")


def fresh_p50_ms(contestant, path, count):
    """Median of `count` GETs, each after a change; None where the route does not answer 200."""
    client = Client(contestant)
    times = []
    for _ in range(count):
        client.post(survey())
        status, took_ms = client.get(path)
        if status != 200:
            return None
        times.append(took_ms)
    return statistics.median(times)


class Writing:
    """Context manager: a steady write load, 20 arrays of 50 surveys a second."""

    PER_S, SIZE = 20, 50

    def __init__(self, contestant):
        self.contestant = contestant
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.error = None

    def run(self):
        client = Client(self.contestant)
        try:
            while not self.stopped.wait(1 / self.PER_S):
                client.post([survey() for _ in range(self.SIZE)])
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stopped.set()
        self.thread.join()
        if self.error is not None:
            raise self.error
