"""doc/guide.md and README.md: every shell block is run as it stands, in order, and what the guide
shows as output is compared with what comes ("…" stands for anything)."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest
import requests
import yaml

from harness.receiver import Receiver
from harness.server import BINARY, Server, await_until

pytestmark = pytest.mark.one_file("the commands stand there for a data directory")

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = ROOT / "doc/guide.md"
SHOWN = ("text", "json")
MARK = "===== block %d ====="


def fences(path):
    """[(language, text, line)] of its fenced blocks."""
    found, start = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("```") and start is None:
            start = (line[3:], number, [])
        elif line.startswith("```"):
            found.append((start[0], "\n".join(start[2]), start[1]))
            start = None
        elif start:
            start[2].append(line)
    return found


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def run(script, directory, environment, timeout=120, until=None):
    """In bash, in a process group of its own that ends with it, or once `until` gives something.
    The output is kept in a file, which background processes may go on writing to."""
    output = directory / "output"
    with open(output, "wb") as file:
        process = subprocess.Popen(["bash", "-c", script], cwd=directory, env=environment,
                                   stdin=subprocess.DEVNULL, stdout=file,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            if until:
                await_until(lambda: until() or process.poll() is not None, "done", timeout)
                code = process.poll()
            else:
                code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = "no end"
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return code, output.read_text(errors="replace")


def environment(**more):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "ASAN_OPTIONS",
                                                "UBSAN_OPTIONS") if name in os.environ}
    kept["PATH"] = os.path.dirname(os.path.abspath(BINARY)) + ":" + kept["PATH"]
    return {**kept, **more}


def bash(script, directory, **variables):
    code, output = run("set -euo pipefail\n" + script, directory, environment(**variables))
    return code, re.split(r"^===== block (\d+) =====\n", output, flags=re.M)


def fits(expected, got):
    pattern = "(?s:.*?)".join(re.escape(piece) for piece in expected.split("…"))
    return re.fullmatch(pattern, got) is not None


def test_every_command_of_the_guide_does_what_it_shows(tmp_path):
    blocks = fences(GUIDE)
    commands = [(index, text, line) for index, (language, text, line) in enumerate(blocks)
                if language == "sh"]
    assert len(commands) > 25
    port, receiver, second = free_ports(3)
    code, pieces = bash("\n".join(f"echo '{MARK % line}'\n{text}" for _, text, line in commands),
                        tmp_path, WORK=str(tmp_path), PORT=port, RECEIVER=receiver,
                        RECEIVER2=second)
    came = dict(zip(map(int, pieces[1::2]), pieces[2::2]))
    log = (tmp_path / "postbackd.log").read_text()
    assert code == 0, f"line {max(came)} of the guide ended with {code}:\n{came[max(came)]}\n{log}"
    wrong = []
    for index, _, line in commands:
        language, expected, _ = blocks[index + 1] if index + 1 < len(blocks) else ("", "", 0)
        expected = expected if language in SHOWN else ""
        strip = [part.rstrip() for part in came[line].splitlines()]
        if not fits("\n".join(part.rstrip() for part in expected.splitlines()), "\n".join(strip)):
            wrong.append(f"line {line} shows\n{expected}\n--- and gives\n{came[line]}")
    assert not wrong, "\n\n".join(wrong)
    assert " error " not in log and " bug " not in log, log


def test_the_commands_of_the_readme_do_what_it_says(tmp_path):
    """As a reader does them: what is in capitals is taken from the answers before."""
    one, two = [text for language, text, _ in fences(ROOT / "README.md") if language == "sh"]
    for program in re.findall(r"^(script/\w+)", one, re.M):
        assert os.access(ROOT / program, os.X_OK)
    port = free_ports(1)[0]
    with Receiver() as receiver:
        script = ['answer() { "$@" > answer; cat answer; }',
                  'soon() { for _ in $(seq 300); do if "$@"; then return; fi; sleep 0.1; done; return 1; }', "export no_proxy=127.0.0.1"]
        for line in re.sub(r"\\\n", " ", two).splitlines():
            line = re.sub(r" +# .*", "", line).replace("build/src/postbackd", "postbackd")
            line = line.replace("localhost:8080", f"127.0.0.1:{port}").replace("/tmp/pb", "pb")
            line = line.replace(":9000", f":{receiver.port}")
            line = line.replace("serve ", f"serve --listen 127.0.0.1:{port} ")
            line = line.replace("postbackd admin", f"postbackd admin --url http://127.0.0.1:{port}")
            line = re.sub(r"\b(PARTNER_SID|BRAND_SID|TOKEN)\b", r'"$\1"', line)
            if line.endswith("&"):
                script += [line.replace("&", "2> log &"),
                           f"soon curl -fsS http://127.0.0.1:{port}/readyz"]
            elif line.startswith(("admin ", "curl ")):
                script.append("answer " + line.replace("curl ", "curl -sS --fail-with-body "))
                kept = {"account add Kind=BRAND": "BRAND_SID=.Sid", "account add Kind=PARTNER":
                        "PARTNER_SID=.Sid", "token add": "TOKEN=.Token"}
                script += [f"{kept[words].split('=')[0]}=$(jq -r {kept[words].split('=')[1]} answer)"
                           for words in kept if words in line]
            else:
                script.append(line)
        code, output = run("set -euo pipefail\n" + "\n".join(script + ["cat log", "sleep 600"]),
                           tmp_path, environment(), until=lambda: receiver.requests)
        assert receiver.requests, f"{code}\n{output}"
        request = receiver.requests[0]
        assert request.method == "GET" and request.header("webhook-signature")
        assert f"gets `GET {request.target}`" in (ROOT / "README.md").read_text()


def test_the_guides_other_blocks_can_be_read():
    """What needs root and systemd is not run; its words are looked at."""
    for language, text, line in fences(GUIDE):
        if language == "console":
            lines = text.splitlines()
            assert all(one.startswith("$ ") for one in lines), f"line {line}"
            script = "\n".join(one[2:] for one in lines)
            subprocess.run(["bash", "-n", "-c", script], check=True)
            for path in re.findall(r"\b(?:packaging|doc|script)/[\w./]+", script):
                assert (ROOT / path).exists(), f"line {line}: {path}"
        elif language == "yaml":
            yaml.safe_load(text)
        elif language == "ini":
            known = subprocess.run([BINARY, "serve", "--help"], stdout=subprocess.PIPE, text=True).stdout
            for setting in text.splitlines():
                assert f"  --{setting.split(' = ')[0]} " in known, f"line {line}: {setting}"
        else:
            assert language in ("sh", *SHOWN), f"line {line}: {language}"


@pytest.mark.parametrize("page", ["doc/guide.md", "README.md", "DESIGN.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page):
    path = ROOT / page
    text = path.read_text()
    titles = {re.sub(r"[^\w -]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
              for line in text.splitlines() if line.startswith("#")}
    for link in re.findall(r"\]\(([^)]+)\)", text):
        target, _, anchor = link.partition("#")
        if not target.startswith("http"):
            assert not target or (path.parent / target).exists(), link
            assert target or not anchor or anchor in titles, link


def test_the_guide_names_every_metric_and_no_other():
    with Server() as server:
        text = requests.get(server.base + "/metrics", timeout=20).text
    there = set(re.findall(r"^# TYPE (\w+)", text, re.M))
    with_certificates = {"postbackd_client_certificate_days"}
    assert set(re.findall(r"postbackd_\w+", GUIDE.read_text())) - {"postbackd_"} - with_certificates == there


PACKAGED = ROOT / "packaging"


def packaged_metrics(text):
    """Those that it asks for, without the endings that a histogram's parts have."""
    return {re.sub(r"_(bucket|sum|count)$", "", name)
            for name in re.findall(r"\bpostbackd_[a-z_]+", text)}


def test_alerts_and_dashboard_ask_for_metrics_that_there_are():
    rules = (PACKAGED / "prometheus/postbackd.rules.yml").read_text()
    board = json.loads((PACKAGED / "grafana/postbackd.json").read_text())
    asked = "\n".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    told = set(re.findall(r"postbackd_\w+", GUIDE.read_text()))
    for text in (rules, asked):
        assert len(packaged_metrics(text)) > 8
        assert packaged_metrics(text) <= told


def test_the_guide_says_of_each_alert_what_to_do():
    groups = yaml.safe_load((PACKAGED / "prometheus/postbackd.rules.yml").read_text())["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"]]
    rows = re.findall(r"^\| `(\w+)`: [^|]+\|[^|]+\|[^|]+\|$", GUIDE.read_text(), re.M)
    assert len(alerts) > 8 and sorted(rows) == sorted(alerts)


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus is not installed")
def test_prometheus_takes_the_alerts():
    subprocess.run(["promtool", "check", "rules", PACKAGED / "prometheus/postbackd.rules.yml"],
                   check=True, capture_output=True, timeout=60)


def test_the_log_events_of_the_guide_are_in_the_source():
    text = GUIDE.read_text()
    table = text[text.index("### The log\n"):text.index("## At 3 a.m.")]
    names = re.findall(r"`([^`]+)`", "".join(
        line.split("|")[1] for line in table.splitlines() if line.startswith("| `")))
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.c"))
    assert len(names) > 10
    assert not [name for name in names if f'"{name}"' not in source]
