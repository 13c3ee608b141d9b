"""What a server costs that has nothing to do."""

import time

from world import pause, world


def look(server, seconds):
    pause(6)  # what a start sets going has ended
    before, started, rss = server.wakeups(), time.monotonic(), server.status("VmRSS")
    pause(seconds)
    return {"idle_rss_kib": rss,
            "idle_wakeups_per_s": (server.wakeups() - before) / (time.monotonic() - started)}


def idle(_):
    with world() as (server, _, _):
        return look(server, 20)


BENCHES = {
    "idle": (idle, [
        ("idle_rss_kib", "idle RSS", "KiB", ("<=", 16 * 1024)),
        ("idle_wakeups_per_s", "idle wake-ups of all threads", "/s", ("<=", 1)),
    ]),
}
