"""Two builds in turn: ours and another one, each beside the floor, round by round."""

import os
import statistics

from world import (Crowd, Postbackd, cpu_seconds, floor_round, postbackd_round, server_of, world)


class Side:
    """One of the two: its rates as parts of the floor's, and its processors' time an event."""

    def __init__(self, server, receiver):
        self.server, self.sid = server, server.account(receiver.port)
        self.ratios, self.cpu = [], []

    def round(self, receiver, directory, seconds):
        floor, _ = floor_round(directory, receiver, seconds)
        cpu, events = cpu_seconds(self.server.process), self.server.metric("postbackd_events_total")
        rate, _ = postbackd_round(self.server, receiver, self.sid, seconds)
        self.ratios.append(rate / floor)
        self.cpu.append((cpu_seconds(self.server.process) - cpu) * 1e6
                        / (self.server.metric("postbackd_events_total") - events))


def against(options):
    """The first round is for warming up; who begins changes from round to round."""
    binary = server_of(options.against)
    with world() as (server, receiver, directory):
        other_directory = os.path.join(directory, "other")
        os.mkdir(other_directory)
        ours = Side(server, receiver)
        other = Side(Postbackd(other_directory, binary=binary), receiver)
        crowd = Crowd()
        for number in range(options.rounds + 1):
            for side in (ours, other) if number % 2 == 0 else (other, ours):
                side.round(receiver, directory, options.seconds)
        share = crowd.share()
        rounds = [one / two for one, two in zip(ours.ratios[1:], other.ratios[1:])]
        return {"against_ours": statistics.median(ours.ratios[1:]),
                "against_other": statistics.median(other.ratios[1:]),
                "against_ratio": statistics.median(rounds),
                "against_lowest": min(rounds), "against_highest": max(rounds),
                "against_cpu_ours_us": statistics.median(ours.cpu[1:]),
                "against_cpu_other_us": statistics.median(other.cpu[1:]),
                "others_share": share}


BENCHES = {
    "against": (against, [
        ("against_ours", "ours against the floor", "", None),
        ("against_other", "the other build against the floor", "", None),
        ("against_ratio", "ours against the other: median of the rounds", "", (">=", 0.98)),
        ("against_lowest", "… in the worst round", "", None),
        ("against_highest", "… in the best", "", None),
        ("against_cpu_ours_us", "CPU for an event, ours", "µs", None),
        ("against_cpu_other_us", "… the other", "µs", None),
        ("others_share", "… the processors, by others meanwhile", "", None),
    ]),
}
