"""Every fuzz target replays its kept corpus; with VINCULO_TEST_ALL=1 it also looks for new inputs, FUZZ seconds
long (300). `scripts/test fuzz` builds them."""

import os
import re
import subprocess

import pytest

import corpus

ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
SECONDS = int(os.environ.get("FUZZ", "300"))
SLOWEST_INPUT_S = 10  # with sanitizers; the inputs are a few KiB
MEMORY_MIB = 2048  # most of it the address sanitizer's, which holds on to freed blocks


def run(target, *arguments):
    """The target's report. Both ways of finding something end it with another code than 0."""
    prefix = corpus.ROOT / "build" / "reports" / f"fuzz-{target}-"
    prefix.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([corpus.program(target), f"-artifact_prefix={prefix}", f"-timeout={SLOWEST_INPUT_S}",
                           f"-rss_limit_mb={MEMORY_MIB}", f"-max_len={corpus.bytes_max(target)}", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    report = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, f"the input is kept as {prefix}…\n{report[-6000:]}"
    return report


def replay(target, say):
    kept = corpus.KEPT / target
    files = len(list(kept.iterdir()))
    report = run(target, "-runs=0", kept)
    # One more than there are files: the empty input.
    assert re.search(rf"^Done {files + 1} runs", report, re.MULTILINE), report[-2000:]
    say(f"{files} kept inputs replayed")


def search(target, say):
    found = corpus.FOUND / target
    corpus.write_seeds(target, found)
    report = run(target, f"-max_total_time={SECONDS}", found, corpus.KEPT / target)
    runs = int(re.search(r"^Done (\d+) runs", report, re.MULTILINE).group(1))
    edges, features, inputs = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)/", report)[-1]
    say(f"{runs} runs in {SECONDS} s, {edges} edges, {features} features, {inputs} inputs in the corpus")
    assert runs > SECONDS


@pytest.mark.parametrize("target", corpus.TARGETS)
@pytest.mark.parametrize("job", [replay, search] if ALL else [replay])
def test_target(job, target, capsys):
    def say(text):
        with capsys.disabled():
            print(f"\n  {target}: {text}")
    job(target, say)
