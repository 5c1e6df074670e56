"""Migrations: applied once each, whoever starts; refused where the database is not this program's."""

import hashlib
import itertools
import subprocess

import pytest

from support.service import ROOT, binary, cli, environment

FILES = sorted((ROOT / "migrations").glob("*.sql"))
numbers = itertools.count(1)


@pytest.fixture
def empty(cluster):
    """Name and URL of a database without a schema."""
    name = f"migrate_{next(numbers)}"
    return name, cluster.create_database(name)


@pytest.fixture
def current(empty):
    assert cli(empty[1], "migrate").returncode == 0
    return empty


def stored(cluster, name):
    return [(version, file, bytes(checksum)) for version, file, checksum in cluster.psql(
        name, "SELECT version, name, checksum FROM schema_migration ORDER BY version")]


def expected(files=FILES):
    return [(int(file.name[:4]), file.name,
             hashlib.blake2b(file.read_bytes(), digest_size=32).digest()) for file in files]


def test_an_empty_database_gets_every_migration_in_order(cluster, empty):
    name, url = empty
    done = cli(url, "migrate")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"applied {file.name}" for file in FILES] + [
        f"schema version {int(FILES[-1].name[:4])}"]
    assert stored(cluster, name) == expected()


def test_a_second_run_changes_nothing(cluster, current):
    name, url = current
    before = cluster.psql(name, "SELECT * FROM schema_migration ORDER BY version")
    done = cli(url, "migrate")
    assert (done.returncode, done.stdout) == (0, f"schema version {len(FILES)}\n")
    assert cluster.psql(name, "SELECT * FROM schema_migration ORDER BY version") == before


def test_four_processes_at_once_apply_each_migration_once(cluster, empty):
    name, url = empty
    processes = [subprocess.Popen([binary(), "migrate"], env=environment(url), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                 for _ in range(4)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs
    applied = [line for out, _ in outputs for line in out.splitlines() if line.startswith("applied")]
    assert sorted(applied) == [f"applied {file.name}" for file in FILES]
    assert stored(cluster, name) == expected()


def test_a_failed_migration_leaves_nothing_and_can_be_tried_again(cluster, empty):
    name, url = empty
    # The second file makes this table, too, after others.
    cluster.psql(name, "CREATE TABLE cancellation (id integer)")
    done = cli(url, "migrate")
    assert done.returncode == 1
    assert "0002_records.sql failed" in done.stderr and "42P07" in done.stderr
    assert stored(cluster, name) == expected(FILES[:1])
    assert cluster.psql(name, "SELECT to_regclass('customer')") == [(None,)]
    cluster.psql(name, "DROP TABLE cancellation")
    done = cli(url, "migrate")
    assert done.returncode == 0, done.stderr
    assert stored(cluster, name) == expected()


REFUSED = [("migrate",), ("serve",), ("workspace", "list"), ("key", "list"), ("rebuild", "--check")]


@pytest.mark.parametrize("command", REFUSED, ids=" ".join)
def test_a_newer_database_is_refused(cluster, current, command):
    name, url = current
    cluster.psql(name, "INSERT INTO schema_migration VALUES (9999, '9999_later.sql', '')")
    done = cli(url, *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "newer than this program" in done.stderr and "9999" in done.stderr


@pytest.mark.parametrize("command", REFUSED, ids=" ".join)
def test_another_wording_of_a_migration_is_refused(cluster, current, command):
    name, url = current
    cluster.psql(name, "UPDATE schema_migration SET checksum = '\\x00' WHERE version = 2")
    done = cli(url, *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "0002_records.sql" in done.stderr and "checksum" in done.stderr


def test_another_order_of_migrations_is_refused(cluster, current):
    name, url = current
    cluster.psql(name, "DELETE FROM schema_migration WHERE version = 1")
    done = cli(url, "migrate")
    assert done.returncode == 1
    assert "another program" in done.stderr and "migration 2" in done.stderr


@pytest.mark.parametrize("command", REFUSED[1:], ids=" ".join)
def test_an_older_database_is_refused_with_what_to_do(cluster, current, command):
    name, url = current
    cluster.psql(name, f"DELETE FROM schema_migration WHERE version = {len(FILES)}")
    done = cli(url, *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "run `vinculo migrate`" in done.stderr


@pytest.mark.parametrize("command", REFUSED[1:], ids=" ".join)
def test_an_empty_database_is_refused_with_what_to_do(empty, command):
    done = cli(empty[1], *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "run `vinculo migrate`" in done.stderr
