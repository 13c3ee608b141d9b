"""Events taken in, in batches and beyond capacity, while they are delivered."""

import statistics
import time

from world import delivered_rate, load_end, load_start, postbackd_round, world


def batches(options):
    """Refused ones (503, over capacity) count as what they are: not accepted."""
    with world() as (server, receiver, _):
        sid = server.account(receiver.port)
        single = postbackd_round(server, receiver, sid, options.seconds)[0]
        receiver.stats("/reset")
        before = server.metric("postbackd_recorded_total")
        started = time.monotonic()
        result = load_end(load_start(server.port, options.seconds, sid, server.operator, batch=100,
                                     connections=8))
        accepted = result["accepted"]
        rate = delivered_rate(receiver, accepted, started, lambda: server.metric(
            "postbackd_recorded_total") - before >= accepted)
        return {"batch_accepted_per_s": result["rate"], "batch_delivered_per_s": rate,
                "batch_single_per_s": single, "batch_ratio": rate / single,
                "batch_rss_kib": server.status("VmHWM")}


ONCE, TWICE = 128, 256  # connections; 128 with 100 events each are just not refused


def overload(options):
    """At capacity, and with twice as much offered: those who are refused come again when told to.
    Postbacks wait on disk from the first round on, which is not counted, so each is like the
    others; the two change places round by round."""
    with world() as (server, receiver, _):
        sid = server.account(receiver.port)
        accepted, delivered, refused = {ONCE: [], TWICE: []}, {ONCE: [], TWICE: []}, 0

        def offer(connections):
            process = load_start(server.port, options.seconds, sid, server.operator, batch=100,
                                 connections=connections)
            before, started = receiver.received(), time.monotonic()
            result = load_end(process)
            return result, (receiver.received() - before) / (time.monotonic() - started)

        offer(ONCE)
        for number in range(options.rounds):
            for connections in (ONCE, TWICE) if number % 2 == 0 else (TWICE, ONCE):
                result, rate = offer(connections)
                accepted[connections].append(result["rate"])
                delivered[connections].append(rate)
                refused += result["refused"] if connections == TWICE else 0
        taken, sent = ({at: statistics.median(rates) for at, rates in found.items()}
                       for found in (accepted, delivered))
        return {"overload_once_per_s": taken[ONCE], "overload_twice_per_s": taken[TWICE],
                "overload_ratio": taken[TWICE] / taken[ONCE],
                "overload_delivered_once_per_s": sent[ONCE],
                "overload_delivered_twice_per_s": sent[TWICE],
                "overload_delivered_ratio": sent[TWICE] / sent[ONCE],
                "overload_refused": refused, "overload_rss_kib": server.status("VmHWM")}


BENCHES = {
    "batches": (batches, [
        ("batch_accepted_per_s", "batches of 100: accepted", "/s", (">=", 60000)),
        ("batch_delivered_per_s", "… delivered and recorded", "/s", None),
        ("batch_single_per_s", "… the same from single events", "/s", None),
        ("batch_ratio", "… batches against single", "", (">=", 1)),
        ("batch_rss_kib", "… peak RSS", "KiB", None),
    ]),
    "overload": (overload, [
        ("overload_once_per_s", "batches of 100 at capacity: accepted", "/s", None),
        ("overload_twice_per_s", "… with twice as much offered", "/s", None),
        ("overload_ratio", "… the one against the other", "", (">=", 0.9)),
        ("overload_delivered_once_per_s", "… delivered meanwhile at capacity", "/s", None),
        ("overload_delivered_twice_per_s", "… with twice as much offered", "/s", None),
        ("overload_delivered_ratio", "… the one against the other", "", (">=", 0.9)),
        ("overload_refused", "… events refused with 503", "", (">=", 1)),
        ("overload_rss_kib", "… peak RSS", "KiB", None),
    ]),
}
