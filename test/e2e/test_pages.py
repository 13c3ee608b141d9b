"""The pages' files, as the server gives them: types, policy, compression, what is asked for again, and
that nothing but them can be had."""

import gzip
import os
import re

import pytest
import requests

from harness.wire import Wire

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
WEB = os.path.join(ROOT, "web")
LIBRARIES = {"chart.min.js": "/usr/share/javascript/chart.js/chart.min.js",
             "openapi.yaml": os.path.join(ROOT, "doc/openapi.yaml")}
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
         "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "yaml": "text/plain; charset=utf-8"}
PAGES = ["/", "/sign-in", "/account", "/help", "/help/maintenance", "/inquiries", "/inquiries/new", "/inquiries/import",
         "/inquiries/17", "/rules", "/notifications", "/notifications/new", "/notifications/3",
         "/postbacks", "/postbacks/123456", "/actions", "/actions/import", "/actions/7", "/terms", "/jobs",
         "/operator/terms", "/notices", "/support", "/support/4", "/operator",
         "/operator/accounts", "/operator/accounts/PAx", "/operator/campaigns",
         "/operator/campaigns/2", "/operator/event-types", "/operator/event-types/shop.order",
         "/operator/support", "/operator/support/9", "/operator/headers", "/operator/maintenance",
         "/operator/health", "/operator/audit"]


def files():
    """{path on the server: path on disk} of all that the build lists."""
    with open(os.path.join(WEB, "meson.build"), encoding="utf-8") as listed:
        names = re.findall(r"'([\w./-]+\.(?:html|js|css|svg|png|ico))'",
                           listed.read().split("libraries")[0])
    assert "index.html" in names
    found = {"/assets/" + name: os.path.join(WEB, name) for name in names}
    return {**found, **{"/assets/lib/" + name: path for name, path in LIBRARIES.items()}}


def get(server, path, **headers):
    headers = {"Accept-Encoding": None, **{name.replace("_", "-"): value
                                           for name, value in headers.items()}}
    return requests.get(server.base + path, headers=headers, timeout=20)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def test_every_file_is_served_as_it_is_and_gzipped(server):
    for path, file in files().items():
        plain, packed = get(server, path), get(server, path, Accept_Encoding="br, gzip")
        assert plain.content == contents(file), path
        assert packed.content == plain.content, path
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert int(packed.headers["Content-Length"]) < len(plain.content) + 40
        for answer in (plain, packed):
            assert answer.headers["Content-Type"] == TYPES[path.rsplit(".", 1)[1]], path
            assert answer.headers["Vary"] == "Accept-Encoding"


def loaded(*names):
    """The files of web/ that these need at once: what they import, and so on."""
    found, more = set(), list(names)
    while more:
        name = os.path.normpath(more.pop())
        if name in found:
            continue
        found.add(name)
        if name.endswith(".js"):
            text = contents(os.path.join(WEB, name)).decode()
            more += [os.path.join(os.path.dirname(name), one)
                     for one in re.findall(r"^(?:import|export)[^;]*? from \"(\.[^\"]+)\";", text, re.M)]
    return found


def test_the_first_page_is_small(server):
    """Whichever it is: the document, what it names, and all that the page imports."""
    document = get(server, "/").text
    frame = re.findall(r"(?:src|href)=\"/assets/([^\"]+)\"", document)
    assert "app.js" in frame and any(name.endswith(".css") for name in frame)
    for page in sorted(os.listdir(os.path.join(WEB, "pages"))):
        if page.endswith(".js"):
            names = loaded("index.html", *frame, f"pages/{page}")
            total = sum(len(gzip.compress(contents(os.path.join(WEB, name)), 9)) for name in names)
            assert len(names) > 10 and total < 150 * 1024, f"{page}: {total} bytes"


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_the_one_document(server, path):
    answer = get(server, path)
    assert answer.status_code == 200
    assert answer.content == contents(os.path.join(WEB, "index.html"))


def test_a_page_is_under_a_strict_policy(server):
    for path in ("/", "/assets/lib/chart.min.js"):
        headers = get(server, path).headers
        policy = dict(one.split(" ", 1) for one in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert {name: policy[name] for name in (
            "script-src", "style-src", "connect-src", "font-src", "form-action")} == dict.fromkeys(
            ("script-src", "style-src", "connect-src", "font-src", "form-action"), "'self'")
        assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Set-Cookie" not in headers


def test_the_document_keeps_to_the_policy():
    text = contents(os.path.join(WEB, "index.html")).decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), "a script within the document"
    assert not re.search(r"<style|\sstyle=|\son\w+=|https?://", text)


def test_what_the_browser_has_is_not_sent_again(server):
    first = get(server, "/assets/index.html")
    packed = get(server, "/assets/index.html", Accept_Encoding="gzip")
    assert first.headers["Cache-Control"] == packed.headers["Cache-Control"] == "no-cache"
    tag = first.headers["ETag"]
    assert tag != packed.headers["ETag"]
    for known in (tag, f'"x", {tag}', "*", "W/" + tag):
        again = get(server, "/assets/index.html", If_None_Match=known)
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["ETag"] == tag
        assert "Content-Security-Policy" in again.headers
    for other in ('"x"', packed.headers["ETag"], tag.strip('"')):
        assert get(server, "/assets/index.html", If_None_Match=other).status_code == 200, other
    assert get(server, "/inquiries/99", If_None_Match=tag).status_code == 304  # the same document


def test_a_connection_goes_on_after_what_was_not_sent_again(server):
    tag = get(server, "/").headers["ETag"]
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(server.base + "/", timeout=20, headers={
                "If-None-Match": tag, "Accept-Encoding": None}).status_code == 304
            assert session.get(server.base + "/healthz", timeout=20).json()["Status"] == "OK"
            head = session.head(server.base + "/", timeout=20)
            assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", [
    "/assets", "/assets/", "/assets/nothing.js", "/assets/lib", "/assets/lib/", "/assets//index.html",
    "/assets/../index.html", "/assets/lib/../index.html", "/assets/./index.html",
    "/assets/%2e%2e/index.html", "/assets/..%2findex.html", "/assets/lib/%2e%2e/index.html",
    "/assets/../../../../etc/passwd", "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%5c..%5cetc%5cpasswd", "//etc/passwd", "/assets//etc/passwd", "/index.html",
    "/assets/index.html/", "/assets/INDEX.HTML", "/assets/meson.build", "/operator/", "/Inquiries",
    "/inquiries/1/2", "/operator/nothing", "/sign-in/x"])
def test_nothing_else_can_be_had(server, path):
    wire = Wire(server.port)
    wire.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = wire.answer()
    assert answer.status == 404, answer
    assert b"There is nothing at this address" in answer.body


def test_a_nul_in_the_path_is_no_path(server):
    wire = Wire(server.port)
    wire.send("GET /assets/index.html%00.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert wire.answer().status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_is_only_read(server, method):
    for path in ("/", "/inquiries", "/assets/index.html"):
        answer = requests.request(method, server.base + path, timeout=20)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/nothing", "/inquiries/", "/inquiries/1/2", "/Nothing", "/operator/nothing"])
def test_a_browser_gets_a_page_where_nothing_is(server, path):
    """P12: and an API's client gets JSON, as ever."""
    page = get(server, path, Accept=BROWSER)
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"/assets/app.js" in page.content and "Content-Security-Policy" in page.headers
    assert "Accept" in page.headers["Vary"]
    packed = requests.get(server.base + path, headers={"Accept": BROWSER}, timeout=20)
    assert packed.content == page.content and packed.headers["Content-Encoding"] == "gzip"
    for accept in (None, "*/*", "application/json", "text/htmlx", "application/json, text/plain"):
        answer = get(server, path, Accept=accept)
        assert answer.status_code == 404
        assert answer.json()["Message"] == "There is nothing at this address.", accept
    assert requests.head(server.base + path, headers={"Accept": BROWSER}, timeout=20).status_code == 404
    assert requests.post(server.base + path, headers={"Accept": BROWSER}, timeout=20).json()["Status"] == "ERROR"


def test_a_file_that_is_not_there_is_no_page(server):
    """P12: a module that is missing must not come as a page."""
    assert get(server, "/assets/pages/gone.js", Accept=BROWSER).json()["Status"] == "ERROR"
