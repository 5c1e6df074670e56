"""The README's tour runs exactly as printed, and answers what is printed under each block."""

import pathlib

from support.tour import deviations, run_steps, steps_of

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def test_the_tour_shows_every_answer():
    steps = steps_of(README)
    assert len(steps) >= 12
    assert sum(answer is not None for _, answer in steps) == len(steps) - 1


def test_every_block_answers_what_is_printed(reader, tmp_path_factory):
    steps = steps_of(README)
    assert deviations(steps, run_steps(steps, reader, tmp_path_factory.mktemp("tour"))) == []
