"""pg_dump, restore elsewhere: the check is clean and the figures are the same."""

import os
import subprocess

from api.checks import settled
from property.world import World, figures
from support.client import Client
from support.service import Service, cli


def test_dump_and_restore(site):
    here = site()
    world = World(here.client(), seed=7)
    for _ in range(400):
        world.step()
    before = figures(world.client)
    pg_dump = os.path.join(here.cluster.bindir, "pg_dump")
    dump = subprocess.run([pg_dump, "--no-owner", here.url], capture_output=True, check=True).stdout
    url = here.cluster.create_database("restored")
    psql = os.path.join(here.cluster.bindir, "psql")
    subprocess.run([psql, "--quiet", "--set", "ON_ERROR_STOP=1", "--output", os.devnull, url],
                   input=dump, capture_output=True, check=True)
    done = cli(url, "rebuild", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cli(url, "migrate").returncode == 0
    with Service(url) as restored:
        client = settled(Client(restored.url, here.keys["main"]))
        assert figures(client) == before
        world.client = client
        world.check_records()
        for _ in range(50):
            world.step()
    done = cli(url, "rebuild", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
