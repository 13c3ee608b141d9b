"""Postbacks that wait on disk, by the million: a backlog, and a delay."""

import math
import statistics
import time

from world import (await_until, delivered_rate, fetch, give_up, load, p99_ms, pause,
                   postbackd_round, start_receiver, world)


def list_pages(server, sid):
    day = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
    base, own = f"/Mediapartners/{sid}/Postbacks", server.credentials[sid]
    newest = server.api("GET", base + "?PageSize=1", None, own)["Postbacks"][0]
    filters = {
        "none": "", "delivered": "?State=DELIVERED", "waiting": "?State=WAITING",
        "cancelled": "?State=CANCELLED",
        "notification": "?NotificationId=1", "type": "?EventType=action.tracked",
        "other type": "?EventType=action.reversed", "since": "?StartDate=" + day,
        "before": "?Before=" + newest["Id"], "inquiry": "?InquiryId=1",
    }
    took = {}
    for name, query in filters.items():
        times = []
        for _ in range(5):
            started = time.monotonic()
            try:
                server.api("GET", base + query, None, own)
            except OSError as error:
                print(f"bench: list page, {name}: {error}")
                break
            times.append((time.monotonic() - started) * 1000)
        if times:
            took[name] = statistics.median(times)
    return took


def backlog(options):
    """Made under the operator's maintenance; the server is started again before it ends."""
    with world("--account-waiting", "0", "--account-waiting-bytes", "0") as (server, receiver, _):
        sid = server.account(receiver.port)
        steady = postbackd_round(server, receiver, sid, 2 * options.seconds)[0]
        server.api("POST", "/Operator/Maintenance", {"Message": "bench"})
        await_until(lambda: server.api("GET", "/Operator/Maintenance")["State"] == "ON",
                    "maintenance is on")
        receiver.stats("/reset")
        load(server.port, 3600, sid, server.operator, batch=100, connections=4,
             count=options.backlog)
        peak = server.status("VmHWM")
        server.close()
        started = time.monotonic()
        server.start()
        await_until(lambda: "OK" in str(fetch(server.base + "/readyz")), "ready", 600)
        ready = time.monotonic() - started
        before, started = server.metric("postbackd_recorded_total"), time.monotonic()
        server.api("POST", "/Operator/Maintenance/End")
        rate = delivered_rate(receiver, options.backlog, started, lambda: server.metric(
            "postbackd_recorded_total") - before >= options.backlog,
                              60 + options.backlog / 1000, every=0.25)
        pages = list_pages(server, sid)
        slowest = max(pages, key=pages.get)
        print("list pages, ms: " + ", ".join(f"{name} {ms:.1f}" for name, ms in pages.items()))
        return {"backlog": options.backlog, "backlog_start_s": ready,
                "backlog_rss_kib": max(peak, server.status("VmHWM")),
                "backlog_steady_per_s": steady, "backlog_catchup_per_s": rate,
                "backlog_ratio": rate / steady, "list_page_ms": pages[slowest]}


DELAYED_PER_S, DELAYED_ACCOUNTS = 5000, 16


def delayed(options):
    """They are made at a rate that can be delivered, so they are due at that rate too: what comes
    late is late by the timer, not by the receiver."""
    seconds = options.delayed / DELAYED_PER_S
    delay = math.ceil(seconds) + 20
    with world() as (server, receiver, _):
        near = start_receiver()
        other = server.account(near.port)
        sids = [server.account(receiver.port, MinimumDelay=delay)
                for _ in range(DELAYED_ACCOUNTS)]
        p99_ms(server, near, other, 2, rate=200)
        alone = p99_ms(server, near, other, 3 * options.seconds, rate=200)
        due = time.monotonic() + delay
        made = load(server.port, 3600, ",".join(sids), server.operator, rate=DELAYED_PER_S,
                    batch=100, count=options.delayed, connections=32)["accepted"]
        rss = server.status("VmRSS")
        if time.monotonic() > due:
            give_up(f"{made} postbacks took more than {delay} s to make")
        pause(due - time.monotonic())
        beside = p99_ms(server, near, other, seconds, rate=200)
        await_until(lambda: receiver.received() >= made, "all received", every=0.25)
        found = receiver.stats()
        return {"delayed": made, "delayed_rss_kib": rss,
                "delayed_first_ms": found["first_us"] / 1000 - delay * 1000,
                "delayed_least_ms": found["least_us"] / 1000 - delay * 1000,
                "delayed_p99_ms": found["p99_us"] / 1000 - delay * 1000,
                "delayed_other_alone_p99_ms": alone, "delayed_other_p99_ms": beside,
                "delayed_peak_rss_kib": server.status("VmHWM")}


BENCHES = {
    "backlog": (backlog, [
        ("backlog", "backlog", "", None),
        ("backlog_rss_kib", "… peak RSS, building up and catching up", "KiB", ("<=", 64 * 1024)),
        ("backlog_start_s", "… start to ready", "s", ("<=", 1)),
        ("backlog_catchup_per_s", "… catch-up, delivered and recorded", "/s", None),
        ("backlog_steady_per_s", "… the steady rate", "/s", None),
        ("backlog_ratio", "… catch-up against steady", "", (">=", 0.8)),
        ("list_page_ms", "… a list page over it, the slowest filter", "ms", ("<=", 50)),
    ]),
    "delayed": (delayed, [
        ("delayed", "postbacks with a delay, due at 5,000/s", "", None),
        ("delayed_rss_kib", "… RSS while they wait", "KiB", ("<=", 64 * 1024)),
        ("delayed_peak_rss_kib", "… peak RSS", "KiB", ("<=", 64 * 1024)),
        ("delayed_first_ms", "… the first came, after it was due", "ms", ("<=", 100)),
        ("delayed_least_ms", "… the one that came soonest", "ms", (">=", -1)),
        ("delayed_p99_ms", "… p99", "ms", ("<=", 1000)),
        ("delayed_other_alone_p99_ms", "… another account at 200/s, before: p99", "ms", None),
        ("delayed_other_p99_ms", "… while they are due", "ms", ("<=", 10)),
    ]),
}
