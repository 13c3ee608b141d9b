"""The guide as the binary serves it: how script/help makes it of Markdown, and that each page of the
product leads to a section that is there."""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess

import pytest
import requests

pytestmark = pytest.mark.one_file("the documents are the same whatever the store is")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "script/help"
DOCUMENTS = [ROOT / "doc" / name for name in ("guide.md", "operations.md", "catalog.md")]
ROUTER = (ROOT / "web/router.js").read_text()


def made(tmp_path, **texts):
    """What the script makes of these files, or what it complains of."""
    for name, text in texts.items():
        (tmp_path / f"{name}.md").write_text(text)
    done = subprocess.run([SCRIPT, tmp_path / "out.html", *[tmp_path / f"{name}.md" for name in texts]],
                          capture_output=True, text=True, check=False)
    return (tmp_path / "out.html").read_text() if done.returncode == 0 else done.stderr


def block(text):
    """The HTML of one block."""
    loader = importlib.machinery.SourceFileLoader("help_script", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("help_script", loader))
    loader.exec_module(module)
    writer = module.Writer([])
    writer.document = type("Document", (), {"name": "guide", "prefix": "", "slugs": {"at-3-am": "at-3-am"}})
    writer.documents = {"guide": writer.document}
    return writer.blocks(text.splitlines())


@pytest.mark.parametrize("text, expected", [
    ("two\nlines", "<p>two lines</p>"),
    ("a `<b>` & <script>alert(1)</script>", "<p>a <code>&lt;b&gt;</code> &amp; &lt;script&gt;alert(1)&lt;/script&gt;</p>"),
    ("**much** and *more*, 2 * 3 * 4", "<p><strong>much</strong> and <em>more</em>, 2 * 3 * 4</p>"),
    ("`**not**` ``a ` b``", "<p><code>**not**</code> <code>a ` b</code></p>"),
    ("[at `3`](#at-3-am)", '<p><a href="/help/at-3-am">at <code>3</code></a></p>'),
    ("[all](openapi.yaml)", '<p><a href="/assets/lib/openapi.yaml">all</a></p>'),
    ("[out](https://a.example/?a=1&b=2)", '<p><a href="https://a.example/?a=1&amp;b=2" rel="noreferrer">out</a></p>'),
    ("[a file](../packaging/haproxy.cfg)", "<p>a file</p>"),
    ("[x](javascript:alert(1))", "<p>x)</p>"),
    ("```sh\nif a < b; then\n  - c\n```", '<pre tabindex="0"><code class="language-sh">if a &lt; b; then\n  - c</code></pre>'),
    ("- one\n  goes on\n- two\n  - in it", "<ul><li>one goes on</li><li>two\n<ul><li>in it</li></ul></li></ul>"),
    ("1. do:\n   ```sh\n   ls\n   ```\n   then\n2. end",
     '<ol><li>do:\n<pre tabindex="0"><code class="language-sh">ls</code></pre>\n<p>then</p></li><li>end</li></ol>'),
    ("| a | b |\n|---|---|\n| `x \\| y` | |", '<table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>'
     "<tbody><tr><td><code>x | y</code></td><td></td></tr></tbody></table>"),
    ("text\n| a |\n|---|\n| 1 |\nafter", '<p>text</p>\n<table><thead><tr><th scope="col">a</th></tr></thead>'
     "<tbody><tr><td>1</td></tr></tbody></table>\n<p>after</p>"),
])
def test_a_block_of_markdown_becomes_html(text, expected):
    assert block(text) == expected


def test_sections_and_their_links_have_ids_of_their_own(tmp_path):
    text = made(tmp_path, guide="# The guide\n\nSee [there](more.md#one).\n\n## One\n\n### In it\n\n```\n## no heading\n```\n",
                more="# More\n\n## One\n\n[back](guide.md#in-it), [all](guide.md)\n")
    assert re.findall(r'<section id="([^"]+)" data-document="([^"]+)">', text) == [
        ("guide", "guide"), ("one", "guide"), ("more", "more"), ("more-one", "more")]
    assert '<h3 id="in-it">In it</h3>' in text
    assert re.findall(r'href="([^"]+)"', text) == ["/help/more-one", "/help/in-it", "/help/guide"]


@pytest.mark.parametrize("text, complaint", [
    ("# A\n\n[x](#nothing)", "there is no #nothing"), ("# A\n\n## B\n\n## B", "two headings are called b"),
    ("# A\n\n```sh\nls", "a fence is not closed"), ("# A\n\n| a | b |\n|---|---|\n| 1 |", "a row of another width")])
def test_a_document_that_is_wrong_stops_the_build(tmp_path, text, complaint):
    assert complaint in made(tmp_path, guide=text)


def served(server):
    answer = requests.get(server.base + "/assets/lib/help.html", timeout=20)
    assert answer.status_code == 200 and "script-src 'self'" in answer.headers["Content-Security-Policy"]
    return answer.text


def test_the_binary_serves_the_documents_to_everybody(server, tmp_path):
    subprocess.run([SCRIPT, tmp_path / "help.html", *DOCUMENTS], check=True)
    text = served(server)
    assert text == (tmp_path / "help.html").read_text()
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)) > 50
    for path in re.findall(r'href="(/[^"]+)"', text):
        name = path.removeprefix("/help/")
        assert name in ids or requests.get(server.base + path, timeout=20).status_code == 200, path
    assert not re.search(r"<script|<style|\son\w+=|\sstyle=", text)
    assert "**" not in re.sub(r"<pre.*?</pre>|<code>.*?</code>", "", text, flags=re.S), "Markdown was left"


def test_every_page_has_a_section_that_explains_it(server):
    ids = set(re.findall(r' id="([^"]+)"', served(server)))
    rows = re.findall(r'^  \["(/[^"?]*)", "\w+"(?:, "([^"]+)")?\],$', ROUTER, re.M)
    explained = {path: section for path, section in rows if section}
    assert len(rows) == len(re.findall(r'^  \["/[^"?]*"', ROUTER, re.M)) and len(explained) > 25
    tabs = re.findall(r'^  \["(/[^"?]*\?View=\w+)", "([^"]+)"\],$', ROUTER, re.M)
    assert tabs
    for path, section in [*explained.items(), *tabs]:
        assert section in ids, f"{path}: the guide has no {section}"
    for path in {path for path, section in rows if not section} - {"/help", "/help/{Section}"}:
        assert any(path.startswith(f"{above}/") for above in explained), f"{path}: which section explains it?"
