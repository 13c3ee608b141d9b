"""A user's authenticator: codes by RFC 6238."""

import base64
import hashlib
import hmac
import time

STEP_S = 30


def code_of(secret, step):
    mac = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7fffffff) % 1000000:06}"


class Authenticator:
    """Two codes of it are taken one after the other without a wait: that of now, and the next."""

    def __init__(self, secret, ahead_ms=0):
        self.secret, self.ahead_ms, self.last = secret, ahead_ms, 0

    def now(self):
        return int(time.time() + self.ahead_ms / 1000) // STEP_S

    def code(self, step=None):
        """The one of a step; the first that was not given yet."""
        self.last = max(self.now(), self.last + 1) if step is None else step
        return code_of(self.secret, self.last)


def enrol(browser, ahead_ms=0):
    """Sets up a second factor of who is signed in: (authenticator, recovery codes)."""
    made = browser.ok(browser.post("/Session/SecondFactor"))
    authenticator = Authenticator(made["Secret"], ahead_ms)
    confirmed = browser.post("/Session/SecondFactor/Confirm", {"Code": authenticator.code()})
    return authenticator, browser.ok(confirmed)["RecoveryCodes"]
