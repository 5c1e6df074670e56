"""Every fuzz target replays its kept corpus and the case files; with VINCULO_TEST_ALL=1 it also looks for new
inputs, FUZZ seconds long (300). `scripts/test fuzz` builds them."""

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


def runs_of(report):
    return int(re.search(r"^Done (\d+) runs", report, re.MULTILINE).group(1))


def replay(target, say, tmp_path):
    kept = corpus.KEPT / target
    files, seeds = len(list(kept.iterdir())), corpus.write_seeds(target, tmp_path / "seeds")
    report = run(target, "-runs=0", kept, tmp_path / "seeds")
    assert files > 0 and runs_of(report) > files + seeds, "the empty input is one more"
    say(f"{files} kept inputs and {seeds} of the case files replayed")


def search(target, say, _):
    found = corpus.FOUND / target
    corpus.write_seeds(target, found)
    report = run(target, f"-max_total_time={SECONDS}", found, corpus.KEPT / target)
    runs = runs_of(report)
    edges, features, inputs = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)/", report)[-1]
    say(f"{runs} runs in {SECONDS} s, {edges} edges, {features} features, {inputs} inputs in the corpus")
    assert runs > SECONDS


@pytest.mark.parametrize("target", corpus.TARGETS)
@pytest.mark.parametrize("job", [replay, search] if ALL else [replay])
def test_target(job, target, capsys, tmp_path):
    def say(text):
        with capsys.disabled():
            print(f"\n  {target}: {text}")
    job(target, say, tmp_path)
