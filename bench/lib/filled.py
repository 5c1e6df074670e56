"""A cluster with two databases of the same three years, one small and one large, kept between runs."""

import hashlib
import pathlib
import time

import psycopg2

from bench.lib import services
from bench.lib.database import KeptCluster, cache_folder

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILL = ROOT / "bench" / "sql" / "fill.sql"
# As many for each size: filled at once, totals would lie in the order of their keys, which they do not in a
# database that grows day by day.
CHUNKS = 500
FOLD_CHUNKS = 5  # no service runs that would fold their changes


def checksum():
    """Of what determines the contents."""
    state = hashlib.sha256(f"{CHUNKS} {FOLD_CHUNKS}".encode())
    for path in [FILL, *sorted((ROOT / "migrations").glob("*.sql"))]:
        state.update(path.read_bytes())
    return state.hexdigest()[:12]


def fill(cluster, name, total, report):
    """Makes the database and its records; an admin key is kept beside the cluster."""
    url = cluster.create_database(name)
    key = services.make_workspace(url)
    (cluster.folder / f"{name}.key").write_text(key, encoding="ascii")
    statements = FILL.read_text(encoding="utf-8").split("\n----\n")
    connection = psycopg2.connect(url)
    chunk = max(1, total // CHUNKS)
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(statements[0])
        for number, first in enumerate(range(0, total, chunk)):
            for statement in statements[1:]:
                cursor.execute(statement, {"workspace": 1, "total": total, "first": first,
                                           "last": min(first + chunk, total)})
            connection.commit()
            cursor.execute("DISCARD PLANS")  # made for smaller tables
            if number % FOLD_CHUNKS == 0 or first + chunk >= total:
                cursor.execute("SELECT totals_fold(1, %s)", (total,))
            connection.commit()
            if number % 100 == 99:
                done = first + chunk
                report.note(f"filling {name}: {done} of {total}, {done / (time.monotonic() - began):.0f} per s")
    connection.close()
    cluster.psql(name, "VACUUM ANALYZE")


class Filled:
    """Context manager: the cluster, made when there is none yet that fits."""

    def __init__(self, small, large, report):
        self.sizes = {"small": small, "large": large}
        self.report = report
        self.cluster = KeptCluster(cache_folder() / f"filled-{checksum()}-{small}-{large}")

    def __enter__(self):
        cluster = self.cluster.__enter__()
        try:
            if cluster.fresh:
                for name, total in self.sizes.items():
                    fill(cluster, name, total, self.report)
                    cluster.psql(name, "CREATE EXTENSION pg_stat_statements")
                cluster.checkpoint()
                cluster.completed()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *exc):
        self.cluster.__exit__(*exc)

    def service(self, name):
        key = (self.cluster.folder / f"{name}.key").read_text(encoding="ascii")
        return services.vinculo(self.cluster, self.cluster.url(name), key, name)
