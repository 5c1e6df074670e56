"""Processor time of process trees, from /proc."""

import os

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """(parent, own ticks, ticks of reaped children), or None where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])


def cpu_seconds(root):
    """Of a process and all its descendants, those that have ended included (their parents reaped them)."""
    stats = {int(name): _stat(name) for name in os.listdir("/proc") if name.isdigit()}
    stats = {pid: stat for pid, stat in stats.items() if stat is not None}
    children = {}
    for pid, (parent, _, _) in stats.items():
        children.setdefault(parent, []).append(pid)
    ticks, open_pids = 0, [root]
    while open_pids:
        pid = open_pids.pop()
        if pid in stats:
            ticks += stats[pid][1] + stats[pid][2]
            open_pids += children.get(pid, [])
    return ticks / TICKS_PER_S


def resident_mib(pid, field="VmRSS"):
    """Resident memory: at present (VmRSS) or at most so far (VmHWM)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {field} in /proc/{pid}/status")
