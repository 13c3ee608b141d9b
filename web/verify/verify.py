"""Verifies a postback's signature, of any body and of a GET."""

import base64
import hashlib
import hmac
import time

SECRET = "whsec_YOUR_SECRET"


def verify(id, timestamp, signatures, body):
    """The headers webhook-id, webhook-timestamp and webhook-signature, and the body as it came (bytes)."""
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    mine = b"v1," + base64.b64encode(mac)
    return any(hmac.compare_digest(one.encode(), mine) for one in signatures.split(" "))
