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


def overload(options):
    """At capacity, and with twice as much offered: those who are refused come again when told to."""
    with world() as (server, receiver, _):
        sid = server.operator.split(":")[0]  # with no event notification: intake alone
        rates = {128: [], 256: []}
        refused = 0
        for _ in range(options.rounds):
            for connections, found in rates.items():
                result = load_end(load_start(server.port, options.seconds, sid, server.operator,
                                             batch=100, connections=connections))
                found.append(result["rate"])
                refused += result["refused"] if connections == 256 else 0
        once, twice = (statistics.median(found) for found in rates.values())
        return {"overload_once_per_s": once, "overload_twice_per_s": twice,
                "overload_ratio": twice / once, "overload_refused": refused,
                "overload_rss_kib": server.status("VmHWM")}


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
        ("overload_refused", "… events refused with 503", "", (">=", 1)),
        ("overload_rss_kib", "… peak RSS", "KiB", None),
    ]),
}
