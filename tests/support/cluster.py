"""A private, durable PostgreSQL cluster in a temporary directory."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg2

START_DEADLINE_S = 30
OWNER = "postgres"  # database superuser, and the account that runs the server when we are root


def find_bindir():
    """Directory of the newest installed PostgreSQL server's programs."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if found:
        newest = max(found, key=lambda path: int(path.split("/")[4]))
        return os.path.dirname(newest)
    initdb = shutil.which("initdb")
    if initdb is None:
        raise RuntimeError("no PostgreSQL server is installed")
    return os.path.dirname(os.path.realpath(initdb))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def process_state(pid):
    """(state, parent's pid) as /proc tells, or None where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1])


def children_of(pid):
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [child for child in pids if (process_state(child) or ("", 0))[1] == pid]


def wait_until_gone(pids, deadline_s):
    """Waits for processes that are not ours to reap; zombies count as gone. Returns those left."""
    end = time.monotonic() + deadline_s
    left = list(pids)
    while left and time.monotonic() < end:
        left = [pid for pid in left if (process_state(pid) or ("Z", 0))[0] != "Z"]
        if left:
            time.sleep(0.01)
    return left


class Cluster:
    """Context manager. `settings` are further postgresql.conf entries, as {"name": "value"}."""

    def __init__(self, settings=None):
        self.bindir = find_bindir()
        self.settings = settings or {}
        self.process = None
        self.directory = None
        self.port = None

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="vinculo-pg-")
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self.directory, OWNER, OWNER)
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *exc):
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def data(self):
        return os.path.join(self.directory, "data")

    def _popen(self, *argv, **options):
        if os.geteuid() == 0:
            options.update(user=OWNER, group=OWNER, extra_groups=[])
        return subprocess.Popen(argv, cwd=self.directory, **options)

    def _initialise(self):
        process = self._popen(
            os.path.join(self.bindir, "initdb"), "--pgdata", self.data, "--username", OWNER,
            "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8",
            "--data-checksums", "--no-sync",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{output}")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.directory,
            "max_connections": 300,
            **self.settings,
        }
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self):
        """Starts the server and waits until it takes connections."""
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = self._popen(
                os.path.join(self.bindir, "postgres"), "-D", self.data, stdout=log, stderr=log)
        end = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                psycopg2.connect(self.url()).close()
                return
            except psycopg2.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL did not start:\n{self.log_text()}") from error
                time.sleep(0.02)

    def stop(self, mode="fast"):
        """Stops the server; mode is `smart`, `fast` or `immediate` as in pg_ctl. Stopped: no effect."""
        if self.process is None or self.process.poll() is not None:
            return
        signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        self.process.send_signal(signals[mode])
        self.process.wait()

    def kill9(self):
        """Kills the postmaster with -9 and waits until its children, who notice, are gone too."""
        children = children_of(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in wait_until_gone(children, 10):
            os.kill(pid, signal.SIGKILL)
        if wait_until_gone(children, 10):
            raise RuntimeError("children of the killed postmaster are still there")

    def log_text(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def url(self, dbname="postgres"):
        """libpq URL over the socket."""
        return (f"postgresql://{OWNER}@/{dbname}?host={self.directory}&port={self.port}")

    def tcp_url(self, dbname="postgres", port=None):
        """libpq URL over TCP; `port` leads it through another door, a proxy for instance."""
        return f"postgresql://{OWNER}@127.0.0.1:{port or self.port}/{dbname}"

    def psql(self, dbname, sql):
        """Runs statements outside a transaction block; rows of the last one, or None."""
        connection = psycopg2.connect(self.url(dbname))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def create_database(self, name):
        self.psql("postgres", f'CREATE DATABASE "{name}"')
        return self.url(name)
