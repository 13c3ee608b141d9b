"""A4: long lists and files go out in pieces, as they are read: the same bytes, little memory."""

import csv
import io
import json
import socket

import pytest
import requests

from harness.engine import ON_POSTGRESQL
from harness.server import await_until

from test_read_turns import fill, metric

ROWS = 3000


@pytest.fixture(scope="module")
def many(server):
    """A world whose partner has many inquiries."""
    from harness.server import World
    world = World(server)
    fill(world, ROWS)
    return world


def rss_mib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def pages(account, path, name, size, **query):
    """All rows, by small pages."""
    rows, number = [], 1
    while True:
        page = account.ok(account.get(path, Page=number, PageSize=size, **query))
        rows += page[name]
        if not page["@nextpageuri"]:
            return rows
        number += 1


@pytest.mark.parametrize("query", [{}, {"Sort": "OrderId"}, {"Sort": "-TransactionAmount"}])
def test_a_long_page_is_what_short_ones_are(many, query):
    """A4: chunked, attributes first, every row once and in order."""
    answer = many.partner.get("ActionInquiries", PageSize=20000, **query)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers.get("Transfer-Encoding") == "chunked"
    assert "Content-Length" not in answer.headers
    page = answer.json()
    assert (page["@total"], page["@end"], page["@numpages"]) == (str(ROWS), str(ROWS - 1), "1")
    assert list(page)[-1] == "ActionInquiries"
    assert page["ActionInquiries"] == pages(many.partner, "ActionInquiries", "ActionInquiries", 700,
                                            **query)
    # no blank but those in values: as short answers are written
    assert answer.text == json.dumps(page, separators=(",", ":"), ensure_ascii=False)


def test_a_short_list_has_its_length(many):
    """A4: what fits into one piece is sent as before."""
    answer = many.partner.get("ActionInquiries", PageSize=3)
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    head = many.partner.call("HEAD", "ActionInquiries", params={"PageSize": 3})
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    empty = many.brand.ok(many.brand.get("ActionInquiries", CampaignId="ALL", OrderId="none"))
    assert empty["ActionInquiries"] == [] and empty["@total"] == "0"


def test_a_file_is_its_rows_by_pages(many):
    """A4: the CSV export is chunked, has every row, and the same bytes each time."""
    url = many.partner.prefix + "/ActionInquiries.csv"
    answer = many.partner.call("GET", url)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "action-inquiries.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    listed = pages(many.partner, "ActionInquiries", "ActionInquiries", 1000)
    assert [row["Id"] for row in rows] == [inquiry["Id"] for inquiry in listed]
    assert many.partner.call("GET", url).content == answer.content


class Slow:
    """A client that asks for a long answer and takes it a little at a time."""

    def __init__(self, account, path):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = account.base.split("//")[1].split(":")
        self.sock.settimeout(60)
        self.sock.connect((host, int(port)))
        request = requests.Request("GET", account.base + account.prefix + path,
                                   auth=(account.sid, account.token)).prepare()
        self.sock.sendall((f"GET {request.path_url} HTTP/1.1\r\nHost: {host}\r\nAuthorization: "
                           f"{request.headers['Authorization']}\r\nConnection: close\r\n\r\n").encode())
        self.got = self.sock.recv(256)

    def rest(self):
        """The body, chunks put together."""
        while piece := self.sock.recv(65536):
            self.got += piece
        head, body = self.got.split(b"\r\n\r\n", 1)
        assert b"chunked" in head, head
        out = b""
        while True:
            size, body = body.split(b"\r\n", 1)
            if int(size, 16) == 0:
                return out
            out += body[:int(size, 16)]
            body = body[int(size, 16) + 2:]


def test_pieces_agree_while_rows_are_added_and_changed(many):
    """A4: which inquiries a list has, and their order, is what it was at the start."""
    before = [row["Id"] for row in pages(many.partner, "ActionInquiries", "ActionInquiries", 1000,
                                         Sort="ResolutionStatus")]
    slow = Slow(many.partner, "/ActionInquiries?PageSize=20000&Sort=ResolutionStatus")
    added = many.open()
    for inquiry in before[-3:] + before[:3]:  # their places in that order change
        many.brand.ok(many.brand.put("ActionInquiries", {
            "Id": inquiry, "ResolutionStatus": "DECLINED", "RejectReason": "Transaction cannot be traced"}))
    page = json.loads(slow.rest())
    assert [row["Id"] for row in page["ActionInquiries"]] == before
    assert added not in before
    assert page["@total"] == str(len(before))


@pytest.mark.parametrize("path", ["/ActionInquiries?PageSize=20000", "/ActionInquiries.csv"])
def test_clients_that_do_not_read_take_little_memory(server, many, path):
    """A4: a connection has one piece in memory, and nothing is read for who does not take it."""
    long = len(many.partner.call("GET", many.partner.prefix + path).content)
    before = rss_mib(server)
    # On PostgreSQL each row is a question, so that what the sockets hold takes long to be read.
    count, patience = (4, 90) if ON_POSTGRESQL else (60, 20)
    slow = [Slow(many.partner, path) for _ in range(count)]
    await_until(lambda: metric(server, "postbackd_store_reads_waiting") == 0,
                "the server to read no more", patience)
    grown = rss_mib(server) - before
    whole = count * long / 1024 / 1024
    assert grown < 24, f"{grown:.0f} MiB more for {count} answers of {whole:.0f} MiB in all"
    assert slow[0].rest().startswith(b"{" if "csv" not in path else b"\xef\xbb\xbf")
    for one in slow:
        one.sock.close()


def test_a_client_that_leaves_is_not_read_for(server, many):
    """A4: after it has gone, other answers are whole."""
    for _ in range(5):
        Slow(many.partner, "/ActionInquiries?PageSize=20000").sock.close()
    await_until(lambda: metric(server, "postbackd_store_reads_waiting") == 0, "nothing to be read")
    assert len(many.partner.ok(many.partner.get("ActionInquiries", PageSize=20000))
               ["ActionInquiries"]) >= ROWS


def under_cursor(account, path, name, size, **query):
    """All rows of a list that is read under a cursor, by short pages."""
    page = account.ok(account.get(path, PageSize=size, **query))
    rows = page[name]
    while page["@nextpageuri"]:
        page = account.ok(account.call("GET", page["@nextpageuri"]))
        assert page[name] or not page["@nextpageuri"]
        rows += page[name]
    return rows


def test_a_list_under_a_cursor_is_sent_in_pieces_too(many):
    """A4: the audit log; the next page begins behind the last row, which stands in front."""
    answer = many.operator.get("Audit", PageSize=20000)
    page = answer.json()
    assert answer.headers.get("Transfer-Encoding") == "chunked"
    assert len(page["Entries"]) >= ROWS and page["@nextpageuri"] == ""
    assert list(page)[-1] == "Entries"
    assert page["Entries"] == under_cursor(many.operator, "Audit", "Entries", 450)
    some = many.operator.get("Audit", PageSize=250).json()
    assert some["Entries"] == page["Entries"][:250]
    assert some["@nextpageuri"].endswith(f"Before={some['Entries'][-1]['Id']}&PageSize=250")


def test_lists_that_rise_are_what_short_pages_are(many):
    """A4: accounts, from the first on; a filter that names nobody is refused as before."""
    for i in range(130):
        many.account("PARTNER", f"Number {i}")
    whole = many.operator.ok(many.operator.get("Accounts", PageSize=20000))["Accounts"]
    assert len(whole) > 130
    assert whole == under_cursor(many.operator, "Accounts", "Accounts", 31)
    assert many.operator.get("Audit", AccountSid="PA0").status_code == 400
    assert many.operator.get("Campaigns/999999/Members").status_code == 404
    notices = many.partner.ok(many.partner.get("Notices"))
    assert notices["Unread"] == "0" and notices["Notices"] == []
