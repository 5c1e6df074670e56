"""What the fuzz targets begin with: seeds from the case files, and the kept corpus.

`python3 tests/fuzz/corpus.py` keeps what `scripts/test --all fuzz` has found: a small set of inputs that covers what
all of them cover becomes tests/fuzz/corpus/<target>, numbered from those that cover most. Not while a search runs.
"""

import json
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
CASES = ROOT / "tests" / "cases"
FOUND = BUILD / "found"
KEPT = ROOT / "tests" / "fuzz" / "corpus"
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.c"))

# Longer inputs find little more, and take long. The longest texts of a record are 10,000 characters.
BYTES_MAX = {"period": 64, "path": 512, "query": 1024, "record": 24 * 1024}
FILES_MAX = 200

KINDS = ["customer", "survey", "interaction", "cancellation", "reactivation", "payment", "cost", "action"]
SOURCES = ["post_one", "publishable", "bulk", "put"]


def bytes_max(target):
    return BYTES_MAX.get(target, 4096)


def program(target):
    return BUILD / f"fuzz_{target}"


def cases(folder):
    return [json.loads(path.read_text("utf-8")) for path in sorted((CASES / folder).rglob("*.json"))]


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Every control character but NUL, and what quoting has to do with.
HARD_TEXT = "".join(map(chr, range(1, 32))) + "\x7f\x85\"\"\\\\ã€🙂\u2028;,=+"


def record_seeds():
    for case in cases("record"):
        yield f"{KINDS.index(case['kind'])}{SOURCES.index(case.get('source', 'post_one'))}{line(case['given'])}"
    given = {"id": "s1", "type": "nps", "score": 9, "answered_at": "2026-01-01T00:00:00Z"}
    yield f"12{line({**given, 'comment': HARD_TEXT, 'metadata': {HARD_TEXT: [HARD_TEXT, 0.1, -0.0, 1e300]}})}"
    for case in cases("syntax"):
        yield f"10{case['text']}"


def patch_seeds():
    for case in cases("patch"):
        yield f"{KINDS.index(case['kind'])}{line(case['given'])}\n{line(case['patch'])}"


def csv_texts():
    for path in sorted((CASES / "csv").glob("*.csv")):
        yield json.loads(path.with_suffix(".json").read_text("utf-8")), path.read_bytes()


def as_csv(record):
    """The record with every text quoted."""
    def cell(value):
        text = value if isinstance(value, str) else line(value)
        return '"' + text.replace('"', '""') + '"'
    given = {name: value for name, value in record.items() if value is not None}
    return ",".join(map(cell, given)) + "\n" + ",".join(map(cell, given.values()))


def csv_seeds():
    for case in cases("record"):
        if "accepted" in case:
            yield f"{KINDS.index(case['kind'])}09{as_csv(case['given'])}"
    for text in [HARD_TEXT, *HARD_TEXT]:
        record = {"id": "s1", "type": "nps", "score": 9, "answered_at": "2026-01-01T00:00:00Z", "comment": text}
        yield f"100{as_csv(record)}"
    for case, text in csv_texts():
        charset = "1" if case.get("charset", "utf-8").lower() != "utf-8" else "0"
        yield f"{KINDS.index(case['kind'])}{charset}2".encode() + text


def many_seeds():
    records = [line(case["given"]) for case in cases("record/survey")][:8]
    yield "0200[" + ",".join(records) + "]"
    yield "1200" + "\n".join(records)
    yield "1010\r\n \t\n{\"id\":\"s1\"}\r\n{\n"
    yield "0200 {\"id\":\"s1\"}"
    for case, text in csv_texts():
        yield b"2300" + text


def period_seeds():
    names = [f"{unit}_{of}" for unit in ("this", "last") for of in ("week", "month", "quarter", "year")]
    notations = ["2026", "2026-Q3", "2026-09", "2026-W39", "2026-W53", "2026-09-14", "2024-02-29", "1900",
                 "2199-12-31", "2026-09-14T12:00:00.25-03:00", "today", "last_12_months", "last_90_days"]
    ranges = ["2026-01-15\n2026-04-01", "2024-02-28\n2024-02-29", "1900-01-01\n2199-12-31"]
    for i, text in enumerate(names + notations + ranges):
        yield f"{i % 10}{i * 7 % 10}{i % 5}{text}"


def path_seeds():
    paths = ["/v1/kpis", "/v1/kpis/nps", "/v1/definitions", "/v1/definitions/nps", "/v1/workspace", "/v1/keys",
             "/v1/keys/k1", "/healthz", "/readyz", "/metrics", "/openapi.yaml", "/v1/surveys/a%2Fb",
             "/v1/surveys/", "/v1//c1", "//", "/v1/keys/", "/v1/surveys/c1/", "/v1/surveys/a%", "/v1/surveys/%00", "/v1/costs/%C3%A3+", "/v1/costs/%c3"]
    for kind in KINDS:
        paths += [f"/v1/{kind}s", f"/v1/{kind}s/c1"]
    for i, path in enumerate(paths):
        yield f"0{path}"
        yield f"{i % 10}{path}"


def query_seeds():
    queries = ["period=2026-09&kpis=nps,csat&compare=year_ago", "granularity=month&from=2026-01-01&to=2026-04-01",
               "segment=small&channel=loja+f%C3%ADsica", "atomic=true&on_conflict=merge", "limit=10&format=csv",
               "cursor=AAAA&limit=5", "customer_id=c%2F1&type=nps&from=2026-09-14T12:00:00-03:00",
               "100 1789387200000000 c1?type=nps&segment=small", "a=b", "limit=1&limit=2", "segment=a%2Bb%26", "=&&=%", "status=%zz",
               "topic=a&agent=b&touchpoint=c&aspect=d&owner=e&category=f&reason=g"]
    for i, query in enumerate(queries):
        for route in "017":
            yield f"{route}0{query}"
        yield f"71{query}"


def seeds(target):
    """The bytes of each seed of a target."""
    made = globals()[f"{target}_seeds"]()
    return [seed if isinstance(seed, bytes) else seed.encode() for seed in made]


def write_seeds(target, folder):
    """Adds the seeds to a folder, and says how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    made = seeds(target)
    for i, seed in enumerate(made):
        (folder / f"seed-{i:03}").write_bytes(seed)
    return len(made)


def keep(target):
    """Replaces the kept corpus by a small one that covers what it, the seeds and those found cover."""
    with tempfile.TemporaryDirectory() as temporary:
        merged, start = pathlib.Path(temporary) / "merged", pathlib.Path(temporary) / "seeds"
        merged.mkdir()
        write_seeds(target, start)
        sources = [folder for folder in (start, KEPT / target, FOUND / target) if folder.is_dir()]
        subprocess.run([program(target), "-set_cover_merge=1", f"-max_len={bytes_max(target)}", merged, *sources],
                       check=True, stderr=subprocess.DEVNULL)
        # libFuzzer writes first what covers most.
        inputs = [path.read_bytes() for path in sorted(merged.iterdir(), key=lambda it: it.stat().st_mtime_ns)]
    shutil.rmtree(KEPT / target, ignore_errors=True)
    (KEPT / target).mkdir(parents=True)
    for i, data in enumerate(inputs[:FILES_MAX]):
        (KEPT / target / f"{i:03}").write_bytes(data)
    print(f"{target}: {len(inputs)} inputs cover all, {min(len(inputs), FILES_MAX)} kept, "
          f"{sum(map(len, inputs[:FILES_MAX]))} bytes")


if __name__ == "__main__":
    for name in TARGETS:
        keep(name)
