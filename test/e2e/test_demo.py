"""`postbackd demo`: what it prints is so."""

import re
import signal
import subprocess

import pytest
import requests

from harness.server import BINARY, Browser

pytestmark = pytest.mark.one_file("its store is one of its own")


@pytest.fixture
def demo():
    """The running demo, and what it printed until it stays up."""
    process = subprocess.Popen([BINARY, "demo"], stdout=subprocess.PIPE, text=True)
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("  curl "):
            break
    yield process, printed
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


def test_once_it_shows_both_postbacks_and_ends():
    done = subprocess.run([BINARY, "demo", "--once"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for number in (1, 2):
        assert f"<- postback {number} arrived" in done.stdout


def test_the_pages_stay_up_and_its_users_sign_in(demo):
    process, printed = demo
    base = re.search(r"^  (http://127\.0\.0\.1:\d+)$", printed, re.M).group(1)
    password = re.search(r'the password "(.+)"', printed).group(1)
    assert requests.get(base + "/", timeout=20).headers["Content-Type"].startswith("text/html")
    for role in ("partner", "brand", "operator"):
        browser = Browser(base)
        told = browser.ok(browser.sign_in(f"{role}@demo.example", password))
        assert told["Account"]["Kind"] == role.upper()
    browser = Browser(base)
    browser.ok(browser.sign_in("partner@demo.example", password))
    assert len(browser.ok(browser.get("Postbacks"))["Postbacks"]) == 2
    sid, token = re.search(r"^  partner   -u (\w+):(\S+)$", printed, re.M).groups()
    assert requests.get(base + "/EventCatalog", auth=(sid, token), timeout=20).status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
