"""A bare Debian 12 with nothing but this tree in it: scripts/run installs, builds, serves, stops.

Needs root, mmdebstrap and Debian's packages; a part of `scripts/test --all`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import pytest

from support.service import ROOT

SECOND_START_MAX_S = 2
IN_CHROOT = """
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root VINCULO_LISTEN=127.0.0.1:0 \
    /srv/vinculo/scripts/run
"""


@pytest.fixture
def bare():
    if os.environ.get("VINCULO_TEST_ALL") != "1":
        pytest.skip("only with scripts/test --all")
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    with tempfile.TemporaryDirectory(prefix="vinculo-fresh-") as folder:
        os.chmod(folder, 0o755)
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", folder],
                       check=True)
        shutil.copy("/etc/resolv.conf", f"{folder}/etc/resolv.conf")
        shutil.copytree(ROOT, f"{folder}/srv/vinculo", symlinks=True, ignore=shutil.ignore_patterns(
            ".git", "build", "var", "node_modules", "__pycache__"))
        yield folder


def serve_once(folder):
    """Seconds to the ready line of one scripts/run that answers and then ends well."""
    started_at = time.monotonic()
    # The mounts are the process's own and vanish with it.
    with tempfile.TemporaryFile("w+") as log, subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", IN_CHROOT, folder], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log, text=True) as run:
        line = run.stdout.readline()
        ready_after_s = time.monotonic() - started_at
        if line.startswith("ready "):
            assert urllib.request.urlopen(line.split()[1] + "/readyz").status == 200
            run.send_signal(signal.SIGTERM)
        code = run.wait()
        log.seek(0)
        assert line and code == 0, log.read()[-4000:]
    return ready_after_s


def test_bare_debian_serves_and_starts_again_fast(bare):
    first_s = serve_once(bare)
    second_s = serve_once(bare)
    print(f"ready after {first_s:.1f} s, the second time after {second_s:.2f} s")
    assert second_s <= SECOND_START_MAX_S
