"""Postbacks that wait on disk, by the million: a backlog, and a delay."""

import statistics
import time

from world import await_until, delivered_rate, fetch, load, postbackd_round, world


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
    with world() as (server, receiver, _):
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
}
