"""Node tools of a folder of tests, as its lock file names them."""

import os
import shutil
import subprocess

import pytest


def installed(folder, env=None):
    """Path of node_modules, brought up to date where needed; the test is skipped without npm."""
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    # npm leaves a copy of the lock file behind when it has installed everything.
    marker = modules / ".package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run(("npm", "ci", "--ignore-scripts"), cwd=folder, capture_output=True, text=True,
                              env={**os.environ, **(env or {})}, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return modules
