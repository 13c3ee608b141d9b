"""Files at inquiries: who reads them, what is taken, and what is not."""

import os

import pytest

from harness.files import JPEG, PDF, PNG, png_of
from harness.server import await_until

KINDS = [("image/png", PNG, "png"), ("image/jpeg", JPEG, "jpg"), ("application/pdf", PDF, "pdf")]


def attach(account, inquiry, body, type="application/octet-stream", **query):
    return account.call("POST", f"ActionInquiries/{inquiry}/Attachments", data=body,
                        params=query, headers={"Content-Type": type})


def attached(account, inquiry, body=PNG, **query):
    return account.ok(attach(account, inquiry, body, **query))["Uri"].rsplit("/", 1)[1]


def files(account, inquiry):
    return account.ok(account.get(f"ActionInquiries/{inquiry}/Attachments"))["Attachments"]


def load(account, inquiry, file):
    return account.call("GET", f"ActionInquiries/{inquiry}/Attachments/{file}")


@pytest.mark.parametrize("type, body, ending", KINDS)
def test_both_sides_load_it_and_as_a_download_alone(world, type, body, ending):
    inquiry = world.open()
    file = attached(world.partner, inquiry, body, type=type, Name=f"../Größe \u202e1.{ending}")
    for account, own in ((world.partner, "true"), (world.brand, "false")):
        (shown,) = files(account, inquiry)
        assert (shown["Id"], shown["Name"], shown["Type"], shown["Bytes"], shown["Own"]) == (
            file, f"Größe 1.{ending}", type, str(len(body)), own)
        answer = load(account, inquiry, file)
        assert answer.status_code == 200 and answer.content == body
        assert answer.headers["Content-Type"] == type
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="Gr____e 1.{ending}"; filename*=UTF-8\'\'Gr%C3%B6%C3%9Fe%201.{ending}')
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    told = world.brand.ok(world.brand.get(f"ActionInquiries/{inquiry}/History"))["History"]
    assert [(one["Step"], one["Text"]) for one in told][1:] == [("ATTACHED", f"Größe 1.{ending}")]


def test_a_long_one_goes_in_pieces_and_comes_back_whole(world):
    inquiry = world.open()
    body = png_of(5 * 1024 * 1024)
    file = attached(world.brand, inquiry, body)
    assert load(world.partner, inquiry, file).content == body
    assert attach(world.brand, inquiry, png_of(5 * 1024 * 1024 + 1)).status_code == 413


def test_what_is_no_such_file_is_refused(world):
    """A page that is called a picture, a picture of a size that nobody can hold, what is cut: none is taken."""
    inquiry = world.open()
    page = b"<!doctype html><script>alert(document.cookie)</script>" * 10
    bomb = PNG.replace(b"\0\0\0\1\0\0\0\1\x08", b"\0\1\0\0\0\1\0\0\x08")
    tried = [(page, "image/png"), (page, "application/octet-stream"), (b"GIF89a" + page, "image/png"),
             (PNG[:8] + page, "image/png"), (PNG + page, "image/png"), (JPEG[:20] + page, "image/jpeg"),
             (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png"), (b"PK\3\4" + page, "application/pdf"),
             (page + PDF, "application/pdf"), (PDF[:20], "application/pdf"), (bomb, "image/png"), (b"", "image/png"),
             (PNG, "image/jpeg"), (PDF, "image/png")]
    for body, type in tried:
        answer = attach(world.partner, inquiry, body, type=type, Name="picture.png")
        assert answer.status_code == 400 and answer.json()["Errors"], (body[:20], answer.text)
    for type in ("text/html", "image/svg+xml", "multipart/form-data", "application/json"):
        assert attach(world.partner, inquiry, PNG, type=type).status_code == 415
    assert attach(world.partner, inquiry, PNG, Colour="red").status_code == 400
    assert files(world.brand, inquiry) == []


def test_five_are_the_most_and_a_closed_one_stays_as_it_is(world):
    inquiry = world.open()
    names = ["/etc/passwd", "..\\..\\boot.ini", "", "a\r\nX: y.png", "." * 50]
    kept = [attached((world.partner, world.brand)[at % 2], inquiry, Name=name) for at, name in enumerate(names)]
    for one in files(world.partner, inquiry):
        assert not set(one["Name"]) & set("/\\\r\n\"") and one["Name"].endswith(".png") and one["Name"][0] != "."
    for account in (world.partner, world.brand):
        assert attach(account, inquiry, PNG).status_code == 409
    assert world.brand.call("DELETE", f"ActionInquiries/{inquiry}/Attachments/{kept[0]}").status_code == 404
    world.partner.ok(world.partner.call("DELETE", f"ActionInquiries/{inquiry}/Attachments/{kept[0]}"))
    assert load(world.brand, inquiry, kept[0]).status_code == 404
    kept.append(attached(world.brand, inquiry, JPEG))
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))
    for call in (attach(world.partner, inquiry, PNG),
                 world.partner.call("DELETE", f"ActionInquiries/{inquiry}/Attachments/{kept[2]}")):
        assert call.status_code == 409
    assert len(files(world.brand, inquiry)) == 5


def test_nobody_else_comes_near(world):
    """Other accounts of both kinds, and the two sides by another inquiry's id."""
    inquiry, other = world.open(), world.open()
    file = attached(world.partner, inquiry)
    strangers = [world.account("PARTNER", "Stranger"), world.account("BRAND", "Stranger")]
    tried = [(account, id) for account in strangers for id in (inquiry, other)]
    tried += [(world.partner, other), (world.brand, other), (world.partner, "987654321")]
    for account, id in tried:
        assert load(account, id, file).status_code == 404
        assert account.call("DELETE", f"ActionInquiries/{id}/Attachments/{file}").status_code == 404
    for account in strangers:
        assert account.get(f"ActionInquiries/{inquiry}/Attachments").status_code == 404
        assert attach(account, inquiry, PNG).status_code == 404
    assert load(world.brand, inquiry, file).content == PNG


def test_memory_stays_bounded_while_many_come(server, world):
    """Twenty of the longest, one after the other: no more than a few of them are held."""
    def resident():
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
    body = png_of(5 * 1024 * 1024)
    inquiries = [world.open() for _ in range(5)]
    attached(world.partner, inquiries[0], body)
    before = resident()
    for inquiry in inquiries[1:]:
        for _ in range(5):
            file = attached(world.partner, inquiry, body)
            assert len(load(world.brand, inquiry, file).content) == len(body)
    if b"__asan_init" not in open(os.environ.get("POSTBACKD", "build/src/postbackd"), "rb").read():
        await_until(lambda: resident() - before < 60, "the memory to be given back")
