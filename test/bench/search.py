"""How long the log of an account with a million postbacks takes to be searched, by each filter, on
SQLite and on PostgreSQL; and that an answer which had to stop says so."""

import os
import sqlite3
import statistics
import time
import urllib.parse

from nodes import Database
from world import Postbackd, await_until, give_up, world

POSTBACKS, ORDERS = 1000000, 10000  # one in a hundred tells of an inquiry, each of its own order
LOOKS = 7
NAMED_MS, ANY_MS = 50, 500

OLDER = "{} - n * CAST(4194304 AS bigint)"
FAILED = 1000   # one in so many waits, having failed …
GIVEN_UP = 5000  # … or is given up
RARE = 999983   # and one of all is of another type, and has an answer that no other has


class Sqlite:
    """The store of a server that is not running."""

    def __init__(self, data):
        self.path = os.path.join(data, "postbackd.db")

    def run(self, sql):
        with sqlite3.connect(self.path) as store:
            return store.execute(sql).fetchall()

    def columns(self, table):
        return [row[1] for row in self.run(f"PRAGMA table_info({table})")]

    def settle(self):
        pass


class Postgresql:
    def __init__(self, server, name):
        self.server, self.name = server, name

    def run(self, sql):
        return self.server.rows(sql, database=self.name, timeout=600)

    def columns(self, table):
        return [row[0] for row in self.run(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'")]

    def settle(self):
        """As its own upkeep would in a while: what has come at once is not known to it yet."""
        self.run("VACUUM ANALYZE")


def copies(store, table, count, changed):
    """The one row that there is, many times, each a millisecond older; `changed` columns apart."""
    columns = store.columns(table)
    taken = ", ".join(changed.get(name, name) for name in columns)
    store.run(
        f"WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {count - 1}) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {table}, many "
        f"WHERE id = (SELECT max(id) FROM {table})")


def multiply(store, count):
    """A log: all but few were delivered at once; the oldest thousandth is what is rarest."""
    copies(store, "event", count, {
        "id": OLDER.format("id"),
        "type": f"CASE WHEN n = {RARE} THEN type + 1 ELSE type END",
        "inquiry": f"CASE WHEN n % {count // ORDERS} = 0 THEN n / {count // ORDERS} END",
        "data": "replace(data, 'S-0', 'S-' || n)"})
    copies(store, "postback", count, {
        "id": OLDER.format("id"), "event": OLDER.format("event"),
        "state": f"CASE WHEN n % {GIVEN_UP} = 7 THEN 4 WHEN n % {FAILED} = 5 THEN 1 ELSE state END",
        "last_status": f"CASE WHEN n = {RARE} THEN 418 WHEN n % {FAILED * 2} = 5 THEN NULL "
                       f"WHEN n % {FAILED} = 5 THEN 503 ELSE last_status END",
        "last_error": f"CASE WHEN n = {RARE} THEN 'status 418' "
                      f"WHEN n % {FAILED * 2} = 5 THEN 'connect: connection refused' "
                      f"WHEN n % {FAILED} = 5 THEN 'status 503' END",
        "due_at": f"CASE WHEN n % {FAILED} = 5 THEN due_at + 9000000000 ELSE due_at END"})


def inquiries(store, partner, brand, campaign):
    store.run(
        f"WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {ORDERS}) "
        "INSERT INTO inquiry (id, partner, brand, campaign, order_id, transaction_at, amount, "
        f"currency, type, status, state, created_at) SELECT n, {partner}, {brand}, {campaign}, "
        "'O-' || n, 1, 1000, 'EUR', 1, 1, 1, 1 FROM many")


class Log:
    """An account's, as the API gives it."""

    def __init__(self, server, sid):
        self.server, self.sid = server, sid

    def page(self, query):
        return self.server.api("GET", f"/Mediapartners/{self.sid}/Postbacks?PageSize=50&{query}",
                               None, self.server.credentials[self.sid])

    def ms(self, query, finds):
        """The median of some looks; `finds`: how many rows there are to find, None: any."""
        took = []
        for _ in range(LOOKS):
            begun = time.monotonic()
            page = self.page(query)
            took.append((time.monotonic() - begun) * 1000)
        found, stopped = len(page["Postbacks"]), page["SearchedBackToDate"]
        if finds is not None and found != finds and not stopped:
            give_up(f"{query} found {found} postbacks, not {finds}, and did not say that it stopped")
        if stopped and not page["@nextpageuri"]:
            give_up(f"{query} stopped, and gives no place to go on")
        return statistics.median(took), found, stopped


def searches(log):
    some = log.page("Status=503")["Postbacks"][-1]
    rare = log.page("Status=418")["Postbacks"][0]
    day = urllib.parse.quote(some["CreationDate"])
    named = {
        "by webhook-id": (f"WebhookId={rare['Id']}", 1),
        "by order of an inquiry": (f"OrderId=O-{ORDERS - 1}", 1),
        "by inquiry": (f"InquiryId={ORDERS - 1}", 1),
        "by a status": ("Status=503", 50),
        "by the status of one": ("Status=418", 1),
        "by no answer": ("Status=NONE", 50),
        "by a class of status": ("Status=5xx", 50),
        "by the usual status": ("Status=200", 50),
        "by a status that none has": ("Status=404", 0),
        "by WAITING": ("State=WAITING", 50),
        "by EXPIRED": ("State=EXPIRED", 50),
        "by CANCELLED, which none is": ("State=CANCELLED", 0),
    }
    others = {
        "by a status 2xx that none has": ("Status=204", 0),
        "by an order of what was sent in": ("OrderId=S-999000", 1),
        "by an order that there is not": ("OrderId=none", 0),
        "by error, as code": ("Error=connect", 50),
        "by error, in words": ("Error=could+not+be+reached", 50),
        "by an error that none has": ("Error=certificate", 0),
        "by the rarest event type": ("EventType=action.modified", 1),
        "by a type and a state": ("EventType=action.modified&State=DELIVERED", 1),
        "by event notification": (f"NotificationId={some['NotificationId']}", 50),
        "by one and a status": (f"NotificationId={some['NotificationId']}&Status=503", 50),
        "by dates": (f"EndDate={day}", 50),
        "by all together": (f"EndDate={day}&Status=5xx&Error=503&State=WAITING&"
                            f"NotificationId={some['NotificationId']}&EventType=action.tracked", 50),
    }
    return named, others


def whole_ms(log, query):
    """Until it is found, over all pages that it takes."""
    begun, uri = time.monotonic(), f"/Mediapartners/{log.sid}/Postbacks?PageSize=50&{query}"
    while uri:
        page = log.server.api("GET", uri, None, log.server.credentials[log.sid])
        if page["Postbacks"]:
            return (time.monotonic() - begun) * 1000
        uri = page["@nextpageuri"]
    return give_up(f"{query} is not found on any page")


def slowest(log, queries):
    most = 0
    for what, (query, finds) in queries.items():
        took, found, stopped = log.ms(query, finds)
        print(f"  {what:<36} {took:8.1f} ms  {found:3} found"
              f"{', back to ' + stopped if stopped else ''}", flush=True)
        most = max(most, took)
    return most


def searched(server, receiver, store, count):
    sid = server.account(receiver.port)
    brand = server.api("POST", "/Operator/Accounts", {"Kind": "BRAND", "Name": "Brand"})
    campaign = server.api("POST", "/Operator/Campaigns", {
        "Name": "Bench", "BrandSid": brand["Sid"], "Currency": "EUR"})["Id"]
    server.api("POST", "/Events", {
        "Type": "action.tracked", "AccountSids": [sid],
        "Data": {"Oid": "S-0", "ActionId": "5", "Amount": "89.90", "Currency": "EUR",
                 "CampaignName": "Bench", "CustomerId": "c-1"}})
    await_until(lambda: server.metric("postbackd_delivered_total") == 1, "delivered")
    server.close()
    partner = store.run(f"SELECT id FROM account WHERE sid = '{sid}'")[0][0]
    inquiries(store, partner, brand["Id"], campaign)
    multiply(store, count)
    store.settle()
    server.start()
    log = Log(server, sid)
    named, others = searches(log)
    return slowest(log, named), slowest(log, others), whole_ms(log, "OrderId=S-999000")


def search(options, count=None):
    del options
    count, database = count or POSTBACKS, Database()
    try:
        with world() as (server, receiver, directory):
            named, others, whole = searched(server, receiver, Sqlite(server.data), count)
            server.close()
            own = os.path.join(directory, "postgresql")
            os.mkdir(own, 0o700)
            there = Postbackd(own, *database.store(directory))
            store = Postgresql(database.server, f"store{database.made}")
            there_named, there_others, there_whole = searched(there, receiver, store, count)
            there.close()
    finally:
        database.server.stop()
    return {"search_named_ms": named, "search_any_ms": others, "search_oldest_ms": whole,
            "search_postgresql_named_ms": there_named, "search_postgresql_any_ms": there_others,
            "search_postgresql_oldest_ms": there_whole}


BENCHES = {
    "search": (search, [
        ("search_named_ms", f"{POSTBACKS} postbacks by webhook-id, order or status, the slowest",
         "ms", ("<=", NAMED_MS)),
        ("search_any_ms", "… by anything else that is offered", "ms", ("<=", ANY_MS)),
        ("search_oldest_ms", "… the oldest by an order that was sent in, over all pages", "ms", None),
        ("search_postgresql_named_ms", "… on PostgreSQL by webhook-id, order or status", "ms", None),
        ("search_postgresql_any_ms", "… on PostgreSQL by anything else", "ms", None),
        ("search_postgresql_oldest_ms", "… on PostgreSQL the oldest", "ms", None),
    ]),
}
