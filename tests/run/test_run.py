"""scripts/run: starts, stops in order, starts again fast, and survives what a crash leaves behind."""

import http.client
import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import time

import pytest

from support.cluster import OWNER, process_state, wait_until_gone
from support.service import ROOT

SECOND_START_MAX_S = 2
A_READ = "/v1/kpis?period=2026-01"


class Run:
    """One scripts/run in a session of its own, like a terminal's."""

    def __init__(self, data, **env):
        self.data = pathlib.Path(data)
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [ROOT / "scripts" / "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
            # A shell cannot trap what was ignored when it began, as INT is for background jobs.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            env={**os.environ, "VINCULO_DATA_DIR": str(data), "VINCULO_LISTEN": "127.0.0.1:0",
                 **env})
        line = self.process.stdout.readline()
        self.ready_after_s = time.monotonic() - self.started_at
        if not line.startswith("ready http://127.0.0.1:"):
            raise RuntimeError(f"no ready line but {line!r}: {self.process.communicate()[1]}")
        self.port = int(line.rpartition(":")[2])

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.stop()

    def stop(self, number=signal.SIGTERM):
        """Sends the signal to the script alone; (exit code, everything it wrote to stderr)."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=60)
        return self.process.returncode, log

    def get(self, path, key=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        return connection.getresponse()

    def postmaster(self):
        return int((self.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


@pytest.fixture(scope="module")
def data():
    """A data directory in which scripts/run has been once. pytest's own folders are closed to the
    account that owns the cluster where root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="vinculo-run-") as folder:
        os.chmod(folder, 0o755)
        data = pathlib.Path(folder, "data")
        with Run(data):
            pass
        yield data


def test_first_start_leaves_a_private_admin_key_that_works(data):
    key_file = data / "admin.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    with Run(data) as run:
        assert run.get(A_READ, key_file.read_text().strip()).status == 200
        assert run.get(A_READ, "vk_wrong").status == 401


def test_second_start_is_fast(data):
    with Run(data) as run:
        assert run.ready_after_s <= SECOND_START_MAX_S


def test_cluster_is_private_durable_and_not_roots(data):
    with Run(data) as run:
        settings = subprocess.run(
            ["psql", (data / "database-url").read_text().strip(), "-XAtc",
             "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings "
             "WHERE name IN ('data_checksums', 'fsync', 'full_page_writes', 'listen_addresses', "
             "'synchronous_commit')"],
            capture_output=True, text=True, check=True).stdout.strip()
        owner = os.stat(f"/proc/{run.postmaster()}").st_uid
    assert settings == ("data_checksums=on fsync=on full_page_writes=on listen_addresses= "
                        "synchronous_commit=on")
    assert owner != 0
    assert stat.S_IMODE((data / "socket").stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_both_and_exits_0(data, number):
    with Run(data) as run:
        postmaster = run.postmaster()
        code, log = run.stop(number)
    assert code == 0, log
    assert process_state(postmaster) is None
    assert not (data / "postgres" / "postmaster.pid").exists()
    # PostgreSQL that stops first takes the service's connections away, which the service logs.
    assert '"level":"warn"' not in log and '"level":"error"' not in log


def test_ctrl_c_of_a_terminal_reaches_the_script_alone(data):
    with Run(data) as run:
        os.killpg(run.process.pid, signal.SIGINT)
        _, log = run.process.communicate(timeout=60)
    assert run.process.returncode == 0
    assert '"level":"warn"' not in log and '"level":"error"' not in log


def test_starts_after_the_script_was_killed(data):
    with Run(data) as run:
        run.process.kill()
        run.process.wait()
    with Run(data) as run:
        assert run.get("/readyz").status == 200


def test_starts_after_postgresql_was_killed_and_its_number_reused(data):
    with Run(data) as run:
        postmaster = run.postmaster()
        os.kill(postmaster, signal.SIGKILL)
        run.process.communicate(timeout=60)
        assert run.process.returncode != 0
    assert not wait_until_gone([postmaster], 10)
    pid_file = data / "postgres" / "postmaster.pid"
    options = {"user": OWNER} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **options) as stranger:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        try:
            with Run(data) as run:
                assert run.get("/readyz").status == 200
        finally:
            stranger.kill()


def test_long_path(data):
    with Run(data.parent / ("long-" + "x" * 100)) as run:
        socket_folder = (run.data / "database-url").read_text().split()[0].removeprefix("host=")
        assert run.get("/readyz").status == 200
    assert not os.path.exists(socket_folder)


def test_other_database(data, cluster):
    url = cluster.create_database("run_other")
    folder = data.parent / "other"
    for _ in range(2):
        with Run(folder, VINCULO_DATABASE_URL=url) as run:
            key = (folder / "admin.key").read_text().strip()
            assert run.get(A_READ, key).status == 200
    assert not (folder / "postgres").exists()


def test_unknown_option_is_refused():
    done = subprocess.run([ROOT / "scripts" / "run", "--frobnicate"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 2
    assert "unknown option: --frobnicate" in done.stderr
