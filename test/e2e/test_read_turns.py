"""A3: who reads much holds up nobody else: accounts take turns at the readers, and who calls is
looked up on a road of its own."""

import threading

import requests
from harness.server import World, await_until

ROWS, DOWNLOADS = 3000, 60
HEADER = "Inquiry Id,Campaign Id*,Order Id*,Sale Amount*,Transaction Date*,Type*\r\n"


def fill(world, rows):
    """Inquiries of the world's partner."""
    text = HEADER + "".join(f"R{i},{world.campaign},B{i},10.00,2026-01-15,UNTRACKED\r\n"
                            for i in range(rows))
    answer = world.partner.call("POST", "ActionInquiries/Import", data=text.encode(),
                                headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text[:500]


def metric(server, name):
    for line in requests.get(server.base + "/metrics", timeout=20).text.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


class Downloads:
    """Downloads of all inquiries at once, by one READ token."""

    def __init__(self, world, count, path="/ActionInquiries.csv"):
        token = world.token(world.partner.sid, "READ")
        self.url = world.server.base + world.partner.prefix + path
        self.auth = (world.partner.sid, token)
        self.answers, self.lock = [], threading.Lock()
        self.threads = [threading.Thread(target=self._one, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _one(self):
        answer = requests.get(self.url, auth=self.auth, timeout=120)
        with self.lock:
            self.answers.append((answer.status_code, len(answer.content)))

    def finished(self):
        with self.lock:
            return len(self.answers)

    def wait(self):
        for thread in self.threads:
            thread.join(120)
        return self.answers


def test_downloads_of_one_account_hold_up_no_other(server, world):
    """A3: events, a token and a sign-in of others are through while most downloads still wait."""
    fill(world, ROWS)
    other = World(server)
    email = other.add_user(other.partner)
    fresh = other.token(other.partner.sid, "EVENTS")
    downloads = Downloads(world, DOWNLOADS)
    await_until(lambda: metric(server, "postbackd_store_reads_waiting") > DOWNLOADS / 2
                or downloads.finished() > 0, "the downloads to stand in line")
    event = {"Type": "action.tracked", "AccountSids": [other.partner.sid],
             "Data": {"ActionId": "5"}}
    sent = requests.post(server.base + "/Events", json=event, timeout=60,
                         auth=(other.partner.sid, fresh))
    assert sent.status_code == 202, sent.text
    signed_in = requests.post(server.base + "/Session", timeout=60, json={
        "Email": email, "Password": "a long pass phrase"})
    assert signed_in.status_code == 200, signed_in.text
    listed = other.partner.get("ActionInquiries")
    assert listed.status_code == 200, listed.text
    done = downloads.finished()
    assert done < DOWNLOADS / 2, f"{done} of {DOWNLOADS} downloads were served first"
    answers = downloads.wait()
    assert len(answers) == DOWNLOADS and len(set(answers)) == 1 and answers[0][0] == 200, answers
