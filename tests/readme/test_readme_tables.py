"""The README's tables are those of the program."""

import json
import pathlib
import re

from support.service import cli_output

ROOT = pathlib.Path(__file__).resolve().parents[2]


def rows_after(heading):
    """The cells of the first table after a heading, its head left out."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def settings_of_help(text):
    """name → [default, from–to, meaning, whether a file may hold it], as --help tells."""
    settings = {}
    for line in text.partition("Settings, by environment variables:\n")[2].splitlines():
        named = re.match(r"  (VINCULO_\w+) +(.*)", line)
        if named:
            current = settings[named[1]] = ["", "", named[2], False]
            continue
        default = re.match(r" +Default (\S+?)(?:, from (\d+) to (\d+))?\.$", line)
        if default:
            current[0] = default[1]
            current[1] = f"{default[2]}–{default[3]}" if default[2] else ""
        elif re.match(r" +Or a file that holds it: VINCULO_\w+_FILE\.$", line):
            current[3] = True
        else:
            assert line == "", f"--help has a line that this test cannot read: {line!r}"
    return settings


def test_the_settings_are_those_of_help():
    told = {}
    for name, default, bounds, meaning in rows_after("Settings"):
        of_file = name.endswith(", or in a file named by `…_FILE`")
        told[re.match(r"`(\w+)`", name)[1]] = [default.strip("`"), bounds, meaning, of_file]
    served = settings_of_help(cli_output("", "serve", "--help"))
    assert len(served) > 10
    assert told == served
    assert list(told) == list(served)


def test_the_workspaces_settings_are_those_that_are_served(reader):
    served = reader.get("/v1/workspace").json()["settings"]
    rows = rows_after("Workspaces and keys")
    assert [row[0] for row in rows] == [f"`{name}`" for name in served]
    assert [row[1] for row in rows[:-1]] == [f"`{json.dumps(value)}`" for value in list(served.values())[:-1]]


def test_the_kpis_are_those_that_are_served(reader):
    definitions = reader.get("/v1/definitions").json()["definitions"]
    assert [row[:3] for row in rows_after("KPIs")] == \
        [[f"`{kpi['kpi']}`", kpi["unit"], kpi["cadence"]] for kpi in definitions]


def test_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
