"""Memory and descriptors of a process, as the kernel counts them."""

import os

# AddressSanitizer keeps freed memory back; a small quarantine makes growth visible.
SANITIZER = {"ASAN_OPTIONS": "quarantine_size_mb=4:abort_on_error=1"}


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
