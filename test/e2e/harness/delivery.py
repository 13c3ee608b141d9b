"""One event notification and what became of its postbacks, for the tests of delivery."""

from harness.server import await_until

LIFECYCLE = "Action Lifecycle Events"


class Delivery:
    """An event notification of a new world's partner (or of `account`), fed by POST /Events with
    events of action.tracked."""

    def __init__(self, world, url, account=None, **settings):
        self.world, self.api = world, account or world.partner
        self.made = world.notify(self.api, url, **{"Category": LIFECYCLE, **settings})
        self.id, self.secret = self.made["Id"], self.made["SigningSecret"]
        self.path = f"EventNotifications/{self.id}"

    def send(self, type="action.tracked", **data):
        """One event; gives its id."""
        answer = self.api.post("/Events", {
            "Type": type, "AccountSids": [self.api.sid], "Data": data})
        assert answer.status_code == 202, answer.text
        return answer.json()["EventIds"][0]

    def send_many(self, count):
        return [self.send(Oid=f"O-{number}") for number in range(count)]

    def change(self, **settings):
        self.api.ok(self.api.put(self.path, settings))

    def do(self, what):
        """Pause, Resume."""
        self.api.ok(self.api.post(f"{self.path}/{what}"))

    def show(self):
        return self.api.ok(self.api.get(self.path))

    # ---- the log ----

    def postbacks(self, **query):
        return self.world.postbacks(self.api, NotificationId=self.id, **query)

    def await_state(self, state, count=1, timeout=20.0):
        """So many postbacks in that state; gives them, oldest first."""
        def found():
            rows = self.postbacks(State=state, PageSize=1000)
            return rows[::-1] if len(rows) >= count else None
        return await_until(found, f"{count} postbacks {state} of {self.id}", timeout)

    def postback(self, id=None):
        """One with its attempts: the oldest one if no id is given."""
        id = id or self.await_any()["Id"]
        return self.api.ok(self.api.get(f"Postbacks/{id}"))

    def await_any(self):
        return await_until(lambda: self.postbacks(PageSize=1000), "a postback in the log")[-1]

    def await_attempts(self, count=1, id=None, timeout=20.0):
        """The attempts of one postback as soon as there are so many."""
        def found():
            attempts = self.postback(id)["AttemptList"]
            return attempts if len(attempts) >= count else None
        return await_until(found, f"{count} attempts at a postback of {self.id}", timeout)

    def retry(self, id=None):
        """Does not wait for the back-off."""
        id = id or self.await_any()["Id"]
        self.api.ok(self.api.post(f"Postbacks/{id}/Retry"))

    def catch_up(self):
        """Retries all that wait, but for those that their own back-off sends meanwhile."""
        for row in self.postbacks(State="WAITING", PageSize=1000):
            answer = self.api.post(f"Postbacks/{row['Id']}/Retry")
            assert answer.status_code == 409 or self.api.ok(answer)

    def sent_after_retry(self, receiver, requests):
        """Retries the one postback and waits until the receiver has so many requests in all."""
        self.retry()
        return receiver.wait(requests)


def milliseconds(attempt):
    return float(attempt["DurationMs"])
