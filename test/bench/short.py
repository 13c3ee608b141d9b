"""The short form: against the floor, round by round in turn, with one load and one receiver."""

import statistics

import idle
from world import Crowd, cpu_seconds, floor_round, load_end, load_start, postbackd_round, world


PACED_SECONDS = 10  # one hiccup of the machine is not a hundredth of it


def short(options):
    """A machine's own rate drifts, so the two of one round are compared, and then the rounds."""
    with world() as (server, receiver, directory):
        figures = idle.look(server, 10)
        sid = server.account(receiver.port)
        floors, floors_cpu, ours, ours_cpu = [], [], [], []
        crowd = Crowd()
        for _ in range(options.rounds):
            rate, cpu = floor_round(directory, receiver, options.seconds)
            floors.append(rate)
            floors_cpu.append(cpu)
            cpu, events = cpu_seconds(server.process), server.metric("postbackd_events_total")
            ours.append(postbackd_round(server, receiver, sid, options.seconds)[0])
            ours_cpu.append((cpu_seconds(server.process) - cpu) * 1e6
                            / (server.metric("postbackd_events_total") - events))
        others = crowd.share()
        ratios = [our / floor for our, floor in zip(ours, floors)]
        _, paced = postbackd_round(server, receiver, sid, PACED_SECONDS, rate=2000)
        busy = server.status("VmRSS")
        batches = load_end(load_start(server.port, options.seconds, sid, server.operator,
                                      batch=100))
        return {**figures,
                "floor_per_s": statistics.median(floors),
                "postbackd_per_s": statistics.median(ours),
                "ratio": statistics.median(ratios),
                "ratio_lowest": min(ratios), "ratio_highest": max(ratios),
                "others_share": others,
                "floor_cpu_us": statistics.median(floors_cpu),
                "postbackd_cpu_us": statistics.median(ours_cpu),
                "p50_ms_at_2000": paced["p50_us"] / 1000,
                "p99_ms_at_2000": paced["p99_us"] / 1000,
                "reuse": 1 - paced["connections"] / paced["requests"],
                "busy_rss_kib": busy,
                "batches_per_s": batches["rate"],
                "batches_ratio": batches["rate"] / statistics.median(floors)}


BENCHES = {
    "short": (short, [
        ("floor_per_s", "floor: delivered, no feature", "/s", None),
        ("postbackd_per_s", "postbackd: delivered and recorded, 128 connections", "/s", None),
        ("ratio", "… against the floor (aim 0.8)", "", (">=", 0.6)),
        ("ratio_lowest", "… in the worst round", "", None),
        ("ratio_highest", "… in the best", "", None),
        ("others_share", "… the processors, by others meanwhile", "", None),
        ("floor_cpu_us", "… CPU for an event, the floor", "µs", None),
        ("postbackd_cpu_us", "… postbackd, all threads", "µs", None),
        ("p50_ms_at_2000", "accept to receipt at 2,000/s, p50", "ms", ("<=", 2)),
        ("p99_ms_at_2000", "… p99", "ms", ("<=", 10)),
        ("reuse", "… exchanges on a connection that was there", "", (">=", 0.95)),
        *idle.BENCHES["idle"][1],
        ("busy_rss_kib", "RSS after the load", "KiB", None),
        ("batches_per_s", "batches of 100: accepted, 128 connections", "/s", (">=", 60000)),
        ("batches_ratio", "… against the floor", "", None),
    ]),
}
