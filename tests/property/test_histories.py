"""After any history, the figures are those of the facts that remain."""

from property.world import figures
from support.service import cli, cli_output


def rebuild_check(service):
    done = cli(service.database_url, "rebuild", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def differences(found, expected):
    return {key: {kpi: (entry, expected[key]["kpis"][kpi])
                  for kpi, entry in found[key]["kpis"].items()
                  if entry != expected[key]["kpis"][kpi]}
            for key in found if found[key] != expected[key]}


def test_aggregates_equal_a_rebuild(laws, worlds):
    rebuild_check(laws)


def test_records_are_those_of_the_model(worlds):
    for world in worlds:
        world.check_records()


def test_another_order_gives_the_same_figures(laws, workspace, worlds):
    for at, world in enumerate(worlds):
        other = workspace(laws, timezone=world.zone)
        world.replay_into(other, seed=at)
        assert differences(figures(other), figures(world.client)) == {}
    rebuild_check(laws)


def test_a_rebuild_changes_no_figure(laws, worlds):
    world = worlds[0]
    before = figures(world.client)
    cli_output(laws.database_url, "rebuild", "--workspace", world.client.workspace)
    assert differences(figures(world.client), before) == {}
    rebuild_check(laws)
