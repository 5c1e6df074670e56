"""The guide runs exactly as printed on its samples, and answers what is printed under each block."""

import pathlib
import re

import pytest

from support.service import binary
from support.tour import deviations, run_steps, steps_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide.md"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A folder that looks to the guide like a clone in which `scripts/run` was started."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "var").mkdir()
    (folder / "build" / "release").mkdir(parents=True)
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "build" / "release" / "vinculo").symlink_to(pathlib.Path(binary()).resolve())
    return folder


def test_every_block_answers_what_is_printed(service, workspace, clone):
    running = service()
    (clone / "var" / "database-url").write_text(running.database_url, encoding="utf-8")
    steps = steps_of(GUIDE)
    assert sum(answer is not None for _, answer in steps) >= 15
    assert deviations(steps, run_steps(steps, workspace(running), clone)) == []


def test_every_sample_is_used_and_every_link_leads_somewhere():
    text = GUIDE.read_text(encoding="utf-8")
    samples = [sample.name for sample in (ROOT / "docs" / "samples").iterdir()]
    assert samples and [name for name in samples if f"samples/{name}" not in text] == []
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert links and [link for link in links if not (GUIDE.parent / link).exists()] == []
