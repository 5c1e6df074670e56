"""The README's tour runs exactly as printed, and answers what is printed under each block.

The first block names the service and its key; the test puts its own in their place.
"""

import json
import pathlib
import re
import subprocess

import pytest

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- end of block"


def steps():
    """(commands, what they answer or None) in order, without the block that names the service."""
    text = README.read_text(encoding="utf-8")
    found = []
    for language, content in BLOCK.findall(text):
        if language == "sh":
            found.append([content, None])
        else:
            assert found and found[-1][1] is None, "an answer without a command before it"
            found[-1][1] = json.loads(content)
    assert found[0][0] == "URL=http://127.0.0.1:8080\nKEY=$(cat var/admin.key)\n"
    return found[1:]


def differences(printed, answered, place=""):
    """Where the answer lacks what is printed. Answers may be shortened: members may be left out."""
    if isinstance(printed, dict) and isinstance(answered, dict):
        return [difference for name, value in printed.items()
                for difference in differences(value, answered.get(name, "(missing)"), f"{place}/{name}")]
    if isinstance(printed, list) and isinstance(answered, list) and len(printed) == len(answered):
        return [difference for index, pair in enumerate(zip(printed, answered))
                for difference in differences(*pair, f"{place}/{index}")]
    return [] if printed == answered else [f"{place}: printed {printed!r}, answered {answered!r}"]


@pytest.fixture(scope="module")
def outputs(reader, tmp_path_factory):
    """What each block of a fresh workspace's tour wrote."""
    script = [f"URL={reader.url}\nKEY={reader.key}\n"]
    script += [f"{commands}echo '{MARK}'\n" for commands, _ in steps()]
    done = subprocess.run(["bash", "-eu"], input="".join(script), capture_output=True, text=True, check=False,
                          cwd=tmp_path_factory.mktemp("tour"))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split(f"{MARK}\n")[:-1]


def test_the_tour_shows_every_answer():
    assert len(steps()) >= 12
    assert sum(answer is not None for _, answer in steps()) == len(steps()) - 1


def test_every_block_answers_what_is_printed(outputs):
    assert len(outputs) == len(steps())
    for (commands, printed), output in zip(steps(), outputs):
        if printed is not None:
            answered = json.loads(output.splitlines()[-1])
            assert differences(printed, answered) == [], commands
