"""Documents whose ```sh blocks are run as printed; the ```json under a block is what its last line answers.

The first block names the service and its key; a test runs its own in its place.
"""

import json
import re
import subprocess

BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- end of block"
OPENING = "URL=http://127.0.0.1:8080\nKEY=$(cat var/admin.key)\n"


def steps_of(document):
    """(commands, what they answer or None) in order, without the block that names the service."""
    found = []
    for language, content in BLOCK.findall(document.read_text(encoding="utf-8")):
        if language == "sh":
            found.append([content, None])
        else:
            assert found and found[-1][1] is None, "an answer without a command before it"
            found[-1][1] = json.loads(content)
    assert found[0][0] == OPENING
    return found[1:]


def run_steps(steps, client, folder):
    """What each block wrote, in one shell that stops at the first failure."""
    script = [f"URL={client.url}\nKEY={client.key}\n"]
    script += [f"{commands}echo '{MARK}'\n" for commands, _ in steps]
    done = subprocess.run(["bash", "-eu"], input="".join(script), capture_output=True, text=True, check=False,
                          cwd=folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:]
    return done.stdout.split(f"{MARK}\n")[:-1]


def differences(printed, answered, place=""):
    """Where the answer lacks what is printed. Answers may be shortened: members may be left out."""
    if isinstance(printed, dict) and isinstance(answered, dict):
        return [difference for name, value in printed.items()
                for difference in differences(value, answered.get(name, "(missing)"), f"{place}/{name}")]
    if isinstance(printed, list) and isinstance(answered, list) and len(printed) == len(answered):
        return [difference for index, pair in enumerate(zip(printed, answered))
                for difference in differences(*pair, f"{place}/{index}")]
    return [] if printed == answered else [f"{place}: printed {printed!r}, answered {answered!r}"]


def deviations(steps, outputs):
    """(commands, differences) of each block whose answer is not what is printed."""
    assert len(outputs) == len(steps)
    found = []
    for (commands, printed), output in zip(steps, outputs):
        if printed is not None:
            missing = differences(printed, json.loads(output.splitlines()[-1]))
            found += [(commands, missing)] if missing else []
    return found
