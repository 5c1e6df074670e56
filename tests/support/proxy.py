"""A byte-true proxy before running services that holds every answer against openapi.yaml."""

import json
import pathlib
import subprocess

from support.npm import installed

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "client"


class ValidatingProxy:
    """Context manager: one process that stands before any number of ports."""

    def __init__(self, document=ROOT / "openapi.yaml"):
        self.document = document

    def __enter__(self):
        installed(FOLDER)
        self.process = subprocess.Popen(
            ("node", "validating_proxy.mjs", str(self.document)), cwd=FOLDER,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def _ask(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stand_before(self, port):
        """URL to use instead of the service's."""
        return f"http://127.0.0.1:{self._ask(port)}"

    def report(self):
        """{judged, outside, deviations} since the last report; of an answer that was read to its end
        it holds what was found."""
        return self._ask("report")
