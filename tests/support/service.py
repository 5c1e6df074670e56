"""The program under test: one running `vinculo serve`, or one command run to its end."""

import os
import pathlib
import re
import select
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_DEADLINE_S = 30
STOP_DEADLINE_S = 60
READY_LINE = re.compile(rb"^ready (http://\S+:(\d+))$", re.MULTILINE)


def binary():
    return os.environ.get("VINCULO_BIN", str(ROOT / "build" / "debug" / "vinculo"))


def environment(database_url, env=None):
    return {**os.environ, "VINCULO_DATABASE_URL": database_url, **(env or {})}


def cli(database_url, *args, env=None, stdin=None):
    """Runs one command; the CompletedProcess has text stdout and stderr. A failure is the caller's."""
    return subprocess.run([binary(), *args], env=environment(database_url, env), input=stdin,
                          capture_output=True, text=True, check=False)


def cli_output(database_url, *args, env=None):
    """Standard output of one command that must succeed, without the final line break."""
    done = cli(database_url, *args, env=env)
    if done.returncode != 0:
        raise RuntimeError(f"vinculo {' '.join(args)} exited {done.returncode}:\n{done.stderr}")
    return done.stdout.rstrip("\n")


class Service:
    """Context manager. The first start takes any free port; a later start() takes the same again."""

    def __init__(self, database_url, env=None, args=()):
        self.database_url = database_url
        self.env = env or {}
        self.args = args
        self.process = None
        self.url = None
        self.port = 0
        self.log = tempfile.NamedTemporaryFile(prefix="vinculo-log-", suffix=".jsonl")

    def __enter__(self):
        if self.process is None:
            self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        """Starts `serve` and waits for its ready line."""
        listen = {"VINCULO_LISTEN": f"127.0.0.1:{self.port}"}
        self.process = subprocess.Popen(
            [binary(), "serve", *self.args], stdout=subprocess.PIPE, stderr=self.log,
            env=environment(self.database_url, {**listen, **self.env}))
        try:
            ready = self._wait_for_ready_line()
        except BaseException:
            self.kill9()
            raise
        self.url = ready[1].decode()
        self.port = int(ready[2])

    def _wait_for_ready_line(self):
        output = self.process.stdout.fileno()
        end = time.monotonic() + READY_DEADLINE_S
        seen = b""
        while time.monotonic() < end:
            if not select.select([output], [], [], 0.1)[0]:
                continue
            part = os.read(output, 4096)
            seen += part
            ready = READY_LINE.search(seen)
            if ready:
                return ready
            if not part:
                break
        raise RuntimeError(f"no ready line, but {seen!r} and the log:\n{self.log_text()}")

    def kill9(self):
        self.process.kill()
        self._reap(STOP_DEADLINE_S)

    def terminate(self, deadline_s=STOP_DEADLINE_S):
        """Sends TERM and returns the exit code."""
        self.process.terminate()
        return self._reap(deadline_s)

    def _reap(self, deadline_s):
        code = self.process.wait(deadline_s)
        self.process.stdout.close()
        return code

    def close(self):
        """Stops the service where it still runs. It must end well by itself: sanitizers report then."""
        if self.process is None or self.process.returncode is not None:
            return
        try:
            code = self.terminate()
        except subprocess.TimeoutExpired:
            self.kill9()
            raise
        if code != 0:
            raise RuntimeError(f"the service exited {code}; log:\n{self.log_text()[-4000:]}")

    def log_text(self):
        """Everything written to standard error so far, over all starts."""
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()
