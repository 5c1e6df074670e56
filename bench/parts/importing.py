"""NDJSON import against COPY into the same tables; a long import's memory."""

import http.client
import io
import json
import statistics
import threading
import time
import urllib.parse

import psycopg2

from bench.lib import services, surveys
from bench.lib.cpu import resident_mib
from bench.lib.database import BenchCluster
from bench.lib.load import Run, runs
from bench.lib.report import median_run, ratio

PIECE = 10 * surveys.WINDOW  # records in one part of a body
ANSWER_TIMEOUT_S = 3600


def send(vinculo, pieces):
    """POSTs the pieces as one NDJSON body; returns how many records were created."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(vinculo.url).netloc, timeout=ANSWER_TIMEOUT_S)
    connection.request("POST", "/v1/surveys", iter(pieces), encode_chunked=True,
                       headers={"Authorization": f"Bearer {vinculo.key}", "Content-Type": "application/x-ndjson",
                                "Transfer-Encoding": "chunked"})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"import: {answer.status} {str(told)[:500]}")
    return told["created"]


def timed(vinculo, count, work):
    """Runs the work; a Run whose latencies mean nothing."""
    vinculo.cluster.checkpoint()
    before, began = vinculo.cpu(), time.monotonic()
    work()
    took = time.monotonic() - began
    service, postgres = (after - earlier for earlier, after in zip(before, vinculo.cpu()))
    return Run(count / took, 0, 0, service / count * 1e6, postgres / count * 1e6)


def import_once(vinculo, count, first):
    prefix = f"n{next(runs)}"
    pieces = [surveys.ndjson(prefix, at, PIECE) for at in range(first, first + count, PIECE)]

    def work():
        if send(vinculo, pieces) != count:
            raise RuntimeError("the import did not create all records")
    return timed(vinculo, count, work)


def copy_once(vinculo, database_url, workspace, count, first):
    prefix = f"c{next(runs)}"
    texts = [surveys.copy_text(workspace, prefix, at, surveys.WINDOW)
             for at in range(first, first + count, surveys.WINDOW)]
    statement = f"COPY survey ({', '.join(surveys.COLUMNS)}) FROM STDIN"

    def work():
        connection = psycopg2.connect(database_url)
        with connection.cursor() as cursor:
            for text in texts:
                cursor.copy_expert(statement, io.StringIO(text))
                connection.commit()
        connection.close()
    return timed(vinculo, count, work)


class Memory(threading.Thread):
    """Samples a process's resident memory until stopped."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.samples, self.stopped = pid, [], threading.Event()

    def run(self):
        while not self.stopped.wait(0.2):
            self.samples.append(resident_mib(self.pid))


def stream(prefix, count):
    for at in range(0, count, PIECE):
        yield surveys.ndjson(prefix, at, min(PIECE, count - at))


def measure_memory(vinculo, count, report):
    memory = Memory(vinculo.pid)
    memory.start()
    began = time.monotonic()
    created = send(vinculo, stream(f"m{next(runs)}", count))
    memory.stopped.set()
    memory.join()
    if created != count:
        raise RuntimeError(f"{created} of {count} records created")
    samples = memory.samples or [resident_mib(vinculo.pid)]
    early = max(samples[:max(len(samples) // 10, 1)])
    report.line("import", f"{count} surveys in one stream: {count / (time.monotonic() - began):.0f} per s, "
                f"{early:.0f} MiB in the first tenth, {max(samples):.0f} MiB at most")
    report.set(import_rss_mib=max(samples))


def import_(plan, report):
    with BenchCluster() as cluster, services.new_vinculo("import", cluster=cluster) as vinculo:
        url = cluster.url("import")
        services.cli_output(url, "workspace", "create", "copied")
        workspace = cluster.psql("import", "SELECT id FROM workspace WHERE name = 'copied'")[0][0]
        imports, copies = [], []
        for number in range(plan.rounds):
            report.note(f"import: round {number + 1} of {plan.rounds}")
            first = number * plan.import_records
            imports.append(import_once(vinculo, plan.import_records, first))
            copies.append(copy_once(vinculo, url, workspace, plan.import_records, first))
        report.row("import", "NDJSON", 1, median_run(imports))
        report.row("import", f"COPY, {surveys.WINDOW} rows a transaction", 1, median_run(copies))
        report.set(import_vs_copy=ratio(statistics.median(run.rate for run in imports),
                                        statistics.median(run.rate for run in copies)))
        measure_memory(vinculo, plan.stream_records, report)
