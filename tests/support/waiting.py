import time


def eventually(holds, deadline_s=15):
    """What `holds` returns, once that is true."""
    give_up = time.monotonic() + deadline_s
    while not (found := holds()):
        assert time.monotonic() < give_up, "it does not come about"
        time.sleep(0.02)
    return found
