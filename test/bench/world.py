"""What every row of script/bench stands on: the programs, the server, the load."""

import atexit
import base64
import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build-bench")
CONNECTIONS = 128


def build(source=ROOT, into=None, targets=("src/postbackd", "test/floor", "test/load",
                                            "test/receiver", "test/store_bench", "test/client_bench")):
    """As operators get it: a release, optimized as a whole."""
    into = into or BUILD
    subprocess.run([os.path.join(ROOT, "script/deps"), "build"], check=True)
    if not os.path.exists(os.path.join(into, "build.ninja")):
        subprocess.run(["meson", "setup", "--buildtype=release", "-Db_lto=true", "-Dbench=true",
                        into, source], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", into, "--quiet", *targets], check=True, stdout=sys.stderr)


def server_of(place):
    """The server of another build: its folder, or a commit, which is built beside ours."""
    ready = os.path.join(place, "src/postbackd")
    if os.path.exists(ready):
        return os.path.abspath(ready)
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--verify", "--quiet",
                             place + "^{commit}"], capture_output=True, text=True, check=False)
    if commit.returncode != 0:
        sys.exit(f"bench: {place} is neither a build's folder nor a commit")
    name = commit.stdout.strip()[:12]
    into = os.path.join(ROOT, "build-" + name)
    source = os.path.join(into, "source")
    if not os.path.exists(source):
        os.makedirs(source)
        archive = subprocess.Popen(["git", "-C", ROOT, "archive", name], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", source], stdin=archive.stdout, check=True)
    build(source, into, ["src/postbackd"])
    return os.path.join(into, "src/postbackd")


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: also when the bench is killed


def spawn(command, **options):
    process = subprocess.Popen(command, text=True, preexec_fn=die_with_parent, **options)
    spawned.append(process)
    return process


def kill_all():
    for process in spawned:
        if process.poll() is None:
            process.kill()
            process.wait()


spawned = []
atexit.register(kill_all)
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Crowd:
    """How much of the processors others take, from when it was made."""

    def __init__(self):
        self.started, self.used = time.monotonic(), self.others()

    @staticmethod
    def others():
        with open("/proc/stat") as stat:
            user, nice, system, _, _, _, _, stolen = map(int, stat.readline().split()[1:9])
        own = os.times()
        return ((user + nice + system + stolen) / TICK - sum(own[:4])
                - sum(cpu_seconds(process) for process in spawned if process.poll() is None))

    def share(self):
        return ((self.others() - self.used) / (time.monotonic() - self.started)
                / os.cpu_count())


def program(name):
    return os.path.join(BUILD, "test", name)


opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url, method="GET", body=None, credentials=None):
    """A body that is a text is sent as CSV."""
    request = urllib.request.Request(url, method=method)
    if isinstance(body, str):
        request.data = body.encode()
        request.add_header("Content-Type", "text/csv")
    elif body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if credentials:
        request.add_header("Authorization", basic(credentials))
    with opener.open(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text[:1] in b"{[" else text.decode()


def basic(credentials):
    return "Basic " + base64.b64encode(credentials.encode()).decode()


class Unmeasured(Exception):
    """A row has no figures: that is neither good nor bad."""


def give_up(why):
    raise Unmeasured(why)


def pause(seconds):
    threading.Event().wait(seconds)


def await_until(condition, what, timeout=120, every=0.02):
    """Each look takes from what is measured, about a millisecond of a processor."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return
        pause(every)
    give_up(f"still not so after {timeout} s: {what}")


class Program:
    """A bench program that prints its port."""

    def __init__(self, *command):
        self.process = spawn(command, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def stats(self, path="/stats"):
        return fetch(f"http://127.0.0.1:{self.port}{path}")

    def received(self):
        return self.stats("/count")["received"]

    def close(self):
        self.process.terminate()
        self.process.wait()


class Postbackd:
    """The server on a fresh store, with one account whose notification calls the receiver."""

    def __init__(self, directory, *flags, binary=None):
        self.flags, self.binary = flags, binary or program("../src/postbackd")
        self.port = 0
        self.credentials = {}
        self.data = os.path.join(directory, "data")
        self.start()
        self.operator = open(os.path.join(self.data, "operator.token")).read().strip()

    def start(self):
        self.process = spawn(
            [self.binary, "serve", "--data", self.data, "--listen",
             f"127.0.0.1:{self.port}", "--allow-egress", "127.0.0.0/8", "--rate-limit", "0", *self.flags],
            stderr=subprocess.PIPE)
        for line in self.process.stderr:
            if " listening address=" in line:
                self.port = int(line.split("listening address=")[1].split()[0].strip('"').rsplit(":", 1)[1])
                break
        else:
            give_up("postbackd did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.port}"

    def api(self, method, path, body=None, credentials=None):
        return fetch(self.base + path, method, body, credentials or self.operator)

    def account(self, receiver_port, host="127.0.0.1", path="/postbacks", **settings):
        made = self.api("POST", "/Operator/Accounts", {"Kind": "PARTNER", "Name": "Bench"})
        token = self.api("POST", f"/Operator/Accounts/{made['Sid']}/Tokens", {"Scope": "API"})["Token"]
        self.credentials[made["Sid"]] = f"{made['Sid']}:{token}"
        self.notify(made["Sid"], f"http://{host}:{receiver_port}{path}", **settings)
        return made["Sid"]

    def notify(self, sid, url, **settings):
        self.api("POST", f"/Mediapartners/{sid}/EventNotifications",
                 {"Category": "Action Lifecycle Events", "Method": "POST", "BodyFormat": "JSON",
                  "Url": url, **settings}, self.credentials[sid])

    def metric(self, name):
        for line in self.api("GET", "/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        give_up(f"no metric {name}")

    def status(self, name):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(name + ":"):
                return int(line.split()[1])
        return 0

    def wakeups(self):
        """Of all threads, since the start."""
        tasks = f"/proc/{self.process.pid}/task"
        return sum(int(line.split()[1]) for task in os.listdir(tasks)
                   for line in open(f"{tasks}/{task}/status")
                   if line.startswith("voluntary_ctxt_switches:"))

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait()


def load_start(port, seconds, sid="none", credentials="none:none", **flags):
    flags = {"connections": CONNECTIONS, **flags}
    command = [program("load"), "--port", str(port), "--seconds", str(seconds), "--sid", sid,
               "--authorization", basic(credentials)]
    for name, value in flags.items():
        command += ["--" + name, str(value)]
    return spawn(command, stdout=subprocess.PIPE)


def load_end(process):
    """Its figures; some refused is for the caller to judge."""
    text, _ = process.communicate()
    if not text:
        give_up("the load failed")
    return json.loads(text)


def load(port, seconds, sid="none", credentials="none:none", **flags):
    result = load_end(load_start(port, seconds, sid, credentials, **flags))
    if result["refused"] > 0:
        give_up(f"{result['refused']} events were refused")
    return result


def start_receiver(**flags):
    command = [program("receiver")]
    for name, value in flags.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    return Program(*command)


@contextlib.contextmanager
def world(*flags, **receiver_flags):
    """A server on a fresh store and a receiver; nothing is left of them, nor of what was started
    meanwhile."""
    directory = tempfile.mkdtemp(prefix="postbackd-bench-", dir=os.environ.get("TMPDIR", "/tmp"))
    try:
        yield Postbackd(directory, *flags), start_receiver(**receiver_flags), directory
    finally:
        kill_all()
        shutil.rmtree(directory, ignore_errors=True)


def delivered_rate(receiver, accepted, started, recorded, timeout=120, every=0.02):
    """Events a second until the last one was received and recorded."""
    await_until(lambda: receiver.received() >= accepted, "all received", timeout, every)
    await_until(recorded, "all recorded", timeout, every)
    return accepted / (time.monotonic() - started)


def floor_round(directory, receiver, seconds):
    """Events a second, and µs of CPU for each."""
    fetch(f"http://127.0.0.1:{receiver.port}/reset")
    floor = Program(program("floor"), "--receiver", str(receiver.port), "--file",
                    os.path.join(directory, "floor.log"))
    started = time.monotonic()
    result = load(floor.port, seconds)
    rate = delivered_rate(receiver, result["accepted"], started, lambda: True)
    used = cpu_seconds(floor.process)
    floor.close()
    return rate, used / result["accepted"] * 1e6


def postbackd_round(server, receiver, sid, seconds, **flags):
    fetch(f"http://127.0.0.1:{receiver.port}/reset")
    before = server.metric("postbackd_recorded_total")
    started = time.monotonic()
    result = load(server.port, seconds, sid, server.operator, **flags)
    rate = delivered_rate(receiver, result["accepted"], started,
                          lambda: server.metric("postbackd_recorded_total") - before
                          >= result["accepted"])
    return rate, fetch(f"http://127.0.0.1:{receiver.port}/stats")


def p99_ms(server, receiver, sid, seconds, rate, connections=8, share=1):
    """Accept to receipt at a rate.  share: how many of the events that receiver gets."""
    receiver.stats("/reset")
    result = load(server.port, seconds, sid, server.operator, rate=rate, connections=connections)
    await_until(lambda: receiver.received() >= int(result["accepted"] * share), "all received")
    return receiver.stats()["p99_us"] / 1000
