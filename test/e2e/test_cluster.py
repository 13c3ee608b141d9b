"""script/cluster: what it prints is so, and nothing is left of it."""

import os
import re
import signal
import subprocess

import pytest
import requests

from harness.server import BINARY, Browser, await_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def cluster():
    """The running cluster, and what it printed until it stays up."""
    process = subprocess.Popen(
        [os.path.join(ROOT, "script", "cluster"), "--nodes", "2"], stdout=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "POSTBACKD": os.path.abspath(BINARY)})
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("  curl "):
            break
    yield process, printed
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def is_there(pid):
    return os.path.exists(f"/proc/{pid}")


def test_all_nodes_serve_the_demos_world_until_ctrl_c(cluster):
    process, printed = cluster
    nodes = re.findall(r"^  node-\d +(http://127\.0\.0\.1:\d+) ", printed, re.M)
    assert len(nodes) == 2, printed
    password = re.search(r'the password "(.+)"', printed).group(1)
    sid, token = re.search(r"^  partner   -u (\w+):(\S+)$", printed, re.M).groups()
    for base in nodes:
        await_until(lambda at=base: requests.get(at + "/readyz", timeout=20).ok, f"{base} is ready")
        await_until(lambda at=base: len(requests.get(  # a postback is listed once it is recorded
            f"{at}/Mediapartners/{sid}/Postbacks", auth=(sid, token), timeout=20).json()[
                "Postbacks"]) == 2, f"both postbacks at {base}")
        for role in ("partner", "brand", "operator"):
            browser = Browser(base)
            assert browser.ok(browser.sign_in(f"{role}@demo.example", password))
    command = re.search(r"^  (postbackd admin .*) nodes list$", printed, re.M).group(1).split()
    listed = subprocess.run([BINARY, *command[1:], "account", "list"], capture_output=True,
                            text=True, timeout=60, check=True)
    assert "Cashback Corner" in listed.stdout
    for folder in re.findall(r"psql -h (\S+)", printed):
        assert os.path.exists(os.path.join(folder, ".s.PGSQL.5432"))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.wait(60) == 0
    left = [pid for pid in re.findall(r"process (\d+)", printed) if is_there(pid)]
    assert left == []
    for folder in re.findall(r"psql -h (\S+)", printed) + re.findall(r"its data in (\S+)", printed):
        await_until(lambda path=folder: not os.path.exists(path), f"{folder} is gone")
