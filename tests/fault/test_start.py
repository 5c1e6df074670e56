"""Starting where something is wrong: clear words and an exit code, or 503 until it is right."""

import os
import resource
import socket
import subprocess
import threading
import time

import pytest

from api.checks import expect, sample, settled
from support.client import Client
from support.cluster import Cluster
from support.service import Service, binary, cli, cli_output, environment

START_S = 20
CRASHES = (0, -6, -11)  # exit codes that no clear refusal has: success, abort, segmentation fault
QUICK = {"VINCULO_DATABASE_TIMEOUT_MS": "1500"}


def serve(url, env=None):
    """Runs `serve` where it is expected to give up: (exit code, its words)."""
    done = subprocess.run([binary(), "serve"], capture_output=True, text=True, timeout=START_S,
                          env=environment(url, {"VINCULO_LISTEN": "127.0.0.1:0", **(env or {})}),
                          check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_database_that_was_never_migrated(cluster):
    code, words = serve(cluster.create_database("start_never"))
    assert code not in CRASHES and "migrate" in words, words
    assert "ready http" not in words


def test_a_newer_database(cluster):
    url = cluster.create_database("start_newer")
    cli_output(url, "migrate")
    cluster.psql("start_newer", "INSERT INTO schema_migration (version, name, checksum) "
                                "VALUES (9999, 'of_the_future', decode(repeat('00', 32), 'hex'))")
    code, words = serve(url)
    assert code not in CRASHES and "newer" in words, words
    done = cli(url, "migrate")
    assert done.returncode not in CRASHES and "newer" in done.stdout + done.stderr, done


def test_an_older_database(cluster):
    url = cluster.create_database("start_older")
    cli_output(url, "migrate")
    cluster.psql("start_older", "DELETE FROM schema_migration WHERE version = "
                                "(SELECT max(version) FROM schema_migration)")
    code, words = serve(url)
    assert code not in CRASHES and "migrate" in words, words


def test_a_changed_migration_is_noticed(cluster):
    url = cluster.create_database("start_changed")
    cli_output(url, "migrate")
    cluster.psql("start_changed", "UPDATE schema_migration SET checksum = "
                                  "decode(repeat('00', octet_length(checksum)), 'hex')")
    done = cli(url, "migrate")
    words = (done.stdout + done.stderr).lower()
    assert done.returncode not in CRASHES and ("checksum" in words or "changed" in words), done


def test_several_migrate_at_once(cluster):
    url = cluster.create_database("start_race")
    results = []

    def migrate():
        results.append(cli(url, "migrate"))
    threads = [threading.Thread(target=migrate) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.returncode for done in results] == [0] * 5, [done.stderr for done in results]
    assert cli(url, "migrate").returncode == 0
    with Service(url) as service:
        assert Client(service.url).get("/readyz").status == 200


def test_the_database_is_away_at_the_start():
    with Cluster() as cluster:
        url = cluster.create_database("away")
        cli_output(url, "migrate")
        cli_output(url, "workspace", "create", "main")
        key = cli_output(url, "key", "create", "--workspace", "main", "--scope", "admin")
        cluster.kill9()
        service = Service(url, QUICK)
        begun = time.monotonic()
        try:
            service.start()
        except RuntimeError as error:
            assert time.monotonic() - begun < START_S
            assert "database" in str(error).lower(), error
            assert service.process.returncode not in CRASHES
            cluster.start()
            service.start()
        else:
            with service:
                client = Client(service.url, key)
                assert client.get("/healthz").status == 200
                assert client.get("/readyz").status == 503
                assert client.post("/v1/surveys", sample("surveys")).status in (401, 503)
                cluster.start()
                end = time.monotonic() + 5
                while client.get("/readyz").status != 200 and time.monotonic() < end:
                    time.sleep(0.05)
        with service:
            expect(settled(Client(service.url, key)).post("/v1/surveys", sample("surveys")), 201)


def test_a_database_that_refuses_tells_no_password(cluster):
    url = f"postgresql://nobody_here:planted-password@127.0.0.1:{cluster.port}/postgres"
    code, words = serve(url, QUICK)
    assert code not in CRASHES and words.strip()
    assert "planted-password" not in words
    done = cli(url, "migrate")
    assert done.returncode != 0 and "planted-password" not in done.stdout + done.stderr


@pytest.mark.parametrize("env", [
    {"VINCULO_LISTEN": "nonsense"}, {"VINCULO_LISTEN": "127.0.0.1:99999"},
    {"VINCULO_WORKERS": "0"}, {"VINCULO_WORKERS": "many"}, {"VINCULO_LOG_LEVEL": "loud"},
    {"VINCULO_WORKRES": "3"}, {"VINCULO_TLS_CERT": "/nowhere.pem"},
    {"VINCULO_DATABASE_URL": ""}, {"VINCULO_DATABASE_URL_FILE": "/nowhere"},
], ids=lambda env: "=".join(*env.items()))
def test_wrong_settings_are_named(database, env):
    code, words = serve(database(), env)
    assert code not in CRASHES, words
    name, value = next(iter(env.items()))
    assert name.removesuffix("_FILE") in words or "VINCULO_TLS" in words or f'"{value}"' in words, words


def test_a_port_that_is_taken(service, database):
    running = service()
    code, words = serve(database(), {"VINCULO_LISTEN": f"127.0.0.1:{running.port}"})
    assert code not in CRASHES and str(running.port) in words, words


def test_few_file_descriptors(database):
    """With a low limit the service says so or serves; it does not spin or die under connections."""
    url = database()
    command = ["sh", "-c", f"ulimit -n 256; exec {binary()} serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment(url, {"VINCULO_LISTEN": "127.0.0.1:0"})) as process:
        line = process.stdout.readline()
        if not line.startswith("ready"):
            process.wait(START_S)
            assert process.returncode not in CRASHES and process.stderr.read().strip()
            return
        port = int(line.rsplit(":", 1)[1])
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 400
        socks = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(350)]
        time.sleep(0.3)
        assert process.poll() is None
        for sock in socks:
            sock.close()
        time.sleep(0.3)
        assert Client(f"http://127.0.0.1:{port}", timeout_s=10).get("/healthz").status == 200
        process.terminate()
        process.wait(START_S)
        process.stderr.read()
        assert process.returncode == 0


def test_standby_directories_do_not_matter(database, tmp_path):
    """The working directory may be gone or unreadable."""
    gone = tmp_path / "gone"
    gone.mkdir()
    url = database()
    with subprocess.Popen(["sh", "-c", f"cd {gone} && rmdir {gone} && exec {os.path.abspath(binary())} "
                           "serve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=environment(url, {"VINCULO_LISTEN": "127.0.0.1:0"})) as process:
        assert process.stdout.readline().startswith("ready http")
        process.terminate()
        assert process.wait(START_S) == 0
