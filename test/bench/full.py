"""The rows of script/bench --full: what holds at length, under failure and with a backlog.

A row is a function of the options that gives figures, and the figures it gives: name, what it is,
unit, what is wanted.  Each compares within itself, on a server and a receiver of its own.
"""

import concurrent.futures
import os
import random
import sqlite3
import statistics
import threading
import time
import urllib.parse

from world import (await_until, delivered_rate, fetch, load, load_end, load_start, postbackd_round,
                   world)


def pause(seconds):
    threading.Event().wait(seconds)


def delivered_single(server, receiver, sid, seconds):
    return postbackd_round(server, receiver, sid, seconds)[0]


def batches(options):
    """Refused ones (503, over capacity) count as what they are: not accepted."""
    with world() as (server, receiver, _):
        sid = server.account(receiver.port)
        single = delivered_single(server, receiver, sid, options.seconds)
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


def far(options):
    """The window grows by one a full window, so a steady rate is measured after a while."""
    with world(delay_ms=100) as (server, receiver, _):
        sid = server.account(receiver.port)
        process = load_start(server.port, 20 + options.seconds, sid, server.operator, rate=2000)
        pause(20)
        before, started = receiver.received(), time.monotonic()
        pause(options.seconds)
        rate = (receiver.received() - before) / (time.monotonic() - started)
        process.terminate()
        load_end(process)
        return {"far_per_s": rate}


HANGING = 500


def hanging(options):
    """500 hosts that answer and 500 others, which answer at first and then never again."""
    hosts = [f"127.0.{host // 256}.{host % 256}" for host in range(1, HANGING + 1)]
    with world(addresses=HANGING) as (server, good, _), \
            world(addresses=HANGING) as (unused, bad, _):
        unused.close()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            sids = list(pool.map(lambda at: server.account((good, bad)[at % 2].port,
                                                           hosts[at // 2]), range(2 * HANGING)))

        def p99(seconds):
            good.stats("/reset")
            result = load_end(load_start(server.port, seconds, ",".join(sids), server.operator,
                                         rate=1000, connections=32))
            await_until(lambda: good.received() >= result["accepted"] // 2,
                        "all received by those that answer")
            return good.stats()["p99_us"] / 1000

        p99(5)
        none = p99(20)
        bad.stats("/hang")
        half = p99(40)  # longer than an exchange may take, so lanes go down too
        return {"hanging_none_p99_ms": none, "hanging_half_p99_ms": half,
                "hanging_ratio": half / none, "hanging_rss_kib": server.status("VmHWM")}


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
        steady = delivered_single(server, receiver, sid, 2 * options.seconds)
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
        await_until(lambda: receiver.received() >= options.backlog, "all received",
                    60 + options.backlog / 1000)
        await_until(lambda: server.metric("postbackd_recorded_total") - before >= options.backlog,
                    "all recorded")
        rate = options.backlog / (time.monotonic() - started)
        pages = list_pages(server, sid)
        slowest = max(pages, key=pages.get)
        print("list pages, ms: " + ", ".join(f"{name} {ms:.1f}" for name, ms in pages.items()))
        return {"backlog": options.backlog, "backlog_start_s": ready,
                "backlog_rss_kib": max(peak, server.status("VmHWM")),
                "backlog_steady_per_s": steady, "backlog_catchup_per_s": rate,
                "backlog_ratio": rate / steady, "list_page_ms": pages[slowest]}


def numbers(path):
    return [int(line) for line in open(path, encoding="ascii")]


def attempts_on_disk(server):
    path = urllib.parse.quote(os.path.join(server.data, "postbackd.db"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        return store.execute("SELECT count(*) FROM attempt").fetchone()[0]


def kills(options):
    """An attempt was in flight when its receiver had it and its outcome was not on disk.  So what
    the receivers had, less the attempts on disk in the end, is how many were in flight at kills."""
    chance = random.Random(options.kills)
    with world(log="/dev/null") as (server, idle_receiver, directory), \
            world(log=os.path.join(directory, "received")) as (unused, receiver, _):
        unused.close()
        idle_receiver.close()
        accepted = os.path.join(directory, "accepted")
        sids = [server.account(receiver.port, path=path)
                for path in ("/postbacks", "/flaky", "/postbacks", "/flaky/too")]
        process = load_start(server.port, 36000, ",".join(sids), server.operator, rate=3000,
                             connections=32, survive=1, accepted=accepted)
        for _ in range(options.kills):
            pause(chance.uniform(0.05, 0.5))
            server.kill()
            server.start()
        process.terminate()
        load_end(process)
        taken = set(numbers(accepted))

        def missing():
            receiver.stats()
            return taken - set(numbers(os.path.join(directory, "received")))

        deadline = time.monotonic() + 120
        while missing() and time.monotonic() < deadline:
            pause(1)
        await_until(lambda: server.metric("postbackd_postbacks_in_memory") == 0, "all recorded")
        server.close()
        received = numbers(os.path.join(directory, "received"))
        in_flight = receiver.stats()["requests"] - attempts_on_disk(server)
        duplicates = len(received) - len(set(received))
        return {"kills": options.kills, "kills_accepted": len(taken), "kills_lost": len(missing()),
                "kills_duplicates": duplicates, "kills_in_flight": in_flight,
                "kills_duplicates_less_in_flight": duplicates - in_flight}


def idle(_):
    with world() as (server, _, _):
        pause(3)
        before, started = server.wakeups(), time.monotonic()
        rss = server.status("VmRSS")
        pause(20)
        return {"idle_all_rss_kib": rss,
                "idle_all_wakeups_per_s":
                    (server.wakeups() - before) / (time.monotonic() - started)}


BENCHES = {
    "idle": (idle, [
        ("idle_all_rss_kib", "idle RSS", "KiB", ("<=", 16 * 1024)),
        ("idle_all_wakeups_per_s", "idle wake-ups of all threads", "/s", ("<=", 1)),
    ]),
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
    "far": (far, [
        ("far_per_s", "to one receiver that answers after 100 ms", "/s", (">=", 1000)),
    ]),
    "hanging": (hanging, [
        ("hanging_none_p99_ms", "1,000 receivers, none hangs: p99 of 500", "ms", None),
        ("hanging_half_p99_ms", "… the other 500 hang: p99 of the same", "ms", None),
        ("hanging_ratio", "… the one against the other", "", ("<=", 2)),
        ("hanging_rss_kib", "… peak RSS", "KiB", None),
    ]),
    "backlog": (backlog, [
        ("backlog", "backlog", "", None),
        ("backlog_rss_kib", "… peak RSS, building up and catching up", "KiB", ("<=", 64 * 1024)),
        ("backlog_start_s", "… start to ready", "s", ("<=", 1)),
        ("backlog_catchup_per_s", "… catch-up, delivered and recorded", "/s", None),
        ("backlog_steady_per_s", "… the steady rate", "/s", None),
        ("backlog_ratio", "… catch-up against steady", "", (">=", 0.8)),
        ("list_page_ms", "… a list page over it, the slowest filter", "ms", ("<=", 50)),
    ]),
    "kills": (kills, [
        ("kills", "kill -9 under load, failing receivers", "", None),
        ("kills_accepted", "… events accepted", "", None),
        ("kills_lost", "… lost", "", ("<=", 0)),
        ("kills_duplicates", "… received twice", "", None),
        ("kills_in_flight", "… in flight at the kills, in all", "", None),
        ("kills_duplicates_less_in_flight", "… duplicates above what was in flight", "",
         ("<=", 0)),
    ]),
}
