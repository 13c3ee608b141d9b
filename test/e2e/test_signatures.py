"""Signatures, as a receiver checks them: with the Standard Webhooks library from the npm registry."""

import json
import os
import pathlib
import shutil
import subprocess
import time
from datetime import datetime

import pytest

from harness.delivery import Delivery
from harness.npm import packages
from harness.receiver import answers, in_turn

NODE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node")


@pytest.fixture(scope="module")
def verify():
    """Gives the library's verdict on each (secret, request)."""
    packages(NODE)

    def ask(*checks, parse=False):
        asked = [{"secret": secret, "headers": headers, "body": body, "parse": parse}
                 for secret, headers, body in checks]
        ran = subprocess.run(["node", "verify.js"], cwd=NODE, input=json.dumps(asked),
                             capture_output=True, text=True, timeout=60, check=True)
        return json.loads(ran.stdout)
    return ask


def check(secret, request, body=None, **headers):
    """What the library is asked: the request, changed as given."""
    changed = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return secret, changed, request.body.decode() if body is None else body


def test_the_published_library_accepts_our_signature(world, receiver, verify):
    delivery = Delivery(world, receiver.url())
    delivery.send(Oid="O-1", SubId1='Grüße "quoted" <tag> 日本 🎉\r\n')
    request = receiver.wait(1)[0]
    assert request.header("webhook-id") == delivery.postback()["Id"]
    assert abs(int(request.header("webhook-timestamp")) - time.time()) < 60
    assert verify(check(delivery.secret, request)) == ["accepted"]


def test_the_published_library_refuses_whatever_was_changed(world, receivers, verify):
    first, second = receivers(), receivers()
    delivery, other = Delivery(world, first.url()), Delivery(world, second.url())
    delivery.send(Oid="O-1")
    request, elsewhere = first.wait(1)[0], second.wait(1)[0]
    now = int(request.header("webhook-timestamp"))
    verdicts = verify(
        check(other.secret, request),
        check(delivery.secret, request, request.body.decode() + " "),
        check(delivery.secret, request, request.body.decode().replace("O-1", "O-2")),
        check(delivery.secret, request, webhook_id="1"),
        check(delivery.secret, request, webhook_timestamp=str(now + 1)),
        check(delivery.secret, request, webhook_timestamp=str(now - 3600)),
        check(delivery.secret, request, webhook_signature=elsewhere.header("webhook-signature")),
        check(delivery.secret, request, webhook_signature=""))
    assert "accepted" not in verdicts
    assert verify(check(delivery.secret, request), check(other.secret, elsewhere)) == ["accepted"] * 2
    assert delivery.secret != other.secret and delivery.secret.startswith("whsec_")


@pytest.mark.parametrize("settings", [
    {"Method": "POST", "BodyFormat": "XML"},
    {"Method": "PUT", "BodyFormat": "FORM"},
    {"Method": "POST", "BodyFormat": "TEXT"},
    {"Method": "POST", "BodyFormat": "JSON", "BodyTemplate": '{"order": "{Oid}"}'},
    {"Method": "GET"},
], ids=lambda settings: settings["Method"] + " " + settings.get("BodyFormat", ""))
def test_every_kind_of_body_is_signed_as_it_is_sent(world, receiver, verify, settings):
    """C13: the library verifies it, and then wants to read JSON, unless it is told not to."""
    delivery = Delivery(world, receiver.url("/in?oid={Oid}"), **settings)
    delivery.send(Oid="O-1 & más")
    request = receiver.wait(1)[0]
    assert (request.body == b"") == (settings["Method"] == "GET")
    assert verify(check(delivery.secret, request)) == ["accepted"]
    told = verify(check(delivery.secret, request), parse=True)
    if settings.get("BodyFormat") == "JSON" or not request.body:  # older releases: not without a body
        assert told == ["accepted"]
    else:
        assert "JSON" in told[0], f"expected the library to stumble over no JSON, got {told}"


def test_a_retry_is_signed_anew_under_the_same_id(world, receiver, verify):
    receiver.behave = in_turn(answers(500), answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send(Oid="O-1")
    first, second = receiver.wait(2)
    assert first.header("webhook-id") == second.header("webhook-id")
    assert int(second.header("webhook-timestamp")) >= int(first.header("webhook-timestamp")) + 3
    assert verify(check(delivery.secret, first), check(delivery.secret, second)) == ["accepted"] * 2


def test_a_test_postback_is_signed(world, receiver, verify):
    delivery = Delivery(world, receiver.url())
    world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
    assert verify(check(delivery.secret, receiver.wait(1)[0])) == ["accepted"]


def test_while_a_secret_rotates_both_sign(world, receiver, verify):
    delivery = Delivery(world, receiver.url())
    delivery.send(Oid="before")
    before = receiver.wait(1)[0]
    rotated = world.partner.ok(world.partner.post(f"{delivery.path}/SigningSecret"))
    fresh = rotated["SigningSecret"]
    assert fresh.startswith("whsec_") and fresh != delivery.secret
    until = datetime.fromisoformat(rotated["OldSecretUntil"]).timestamp() - time.time()
    assert 86400 - 60 < until <= 86400 + 1, "the old one signs for a day more"
    shown = world.partner.ok(world.partner.get(f"{delivery.path}/SigningSecret"))
    assert shown["SigningSecret"] == fresh

    delivery.send(Oid="after")
    after = receiver.wait(2)[1]
    assert len(before.header("webhook-signature").split(" ")) == 1
    assert len(after.header("webhook-signature").split(" ")) == 2
    verdicts = verify(check(delivery.secret, before), check(delivery.secret, after),
                      check(fresh, after), check(fresh, before))
    assert verdicts[:3] == ["accepted"] * 3 and verdicts[3] != "accepted"

    again = world.partner.ok(world.partner.post(f"{delivery.path}/SigningSecret"))["SigningSecret"]
    delivery.send(Oid="rotated twice")
    last = receiver.wait(3)[2]
    verdicts = verify(check(again, last), check(fresh, last), check(delivery.secret, last))
    assert verdicts[:2] == ["accepted"] * 2 and verdicts[2] != "accepted"


def test_the_secret_is_for_its_account_alone(world, receiver):
    delivery = Delivery(world, receiver.url())
    stranger = world.account("PARTNER", "Stranger")
    reader = world.token(world.partner.sid, "READ")
    assert stranger.get(f"{delivery.path}/SigningSecret").status_code == 404
    assert stranger.post(f"{delivery.path}/SigningSecret").status_code == 404
    assert world.partner.call("GET", f"{delivery.path}/SigningSecret",
                              auth=(world.partner.sid, reader)).status_code == 403
    assert "whsec_" not in world.partner.get(delivery.path).text
    assert "whsec_" not in world.operator.get("Notifications").text
    secret = delivery.secret.removeprefix("whsec_")
    assert secret not in world.operator.get("Audit").text
    assert secret not in world.server.log()


# ---- the code that the page shows ----

CODES = pathlib.Path(__file__).resolve().parents[2] / "web/verify"

# What calls verify() with the words ID TIMESTAMP SIGNATURES and the body in a file: the program to
# write beside the code, and what makes it and what runs it.
CALLERS = {
    "verify.c": ("main.c", """
        #include "verify.c"
        int main(int argc, char **argv)
        {
            static char body[1 << 16];
            FILE *file = fopen(argv[4], "rb");
            size_t len = fread(body, 1, sizeof(body), file);
            return argc == 5 && verify(argv[1], argv[2], argv[3], body, len) ? 0 : 3;
        }""", ["gcc", "-Wall", "-Wextra", "-Werror", "-o", "main", "main.c", "-lcrypto"], ["./main"]),
    "verify.go": ("verify_test.go", """
        package postback
        import ("os"; "testing")
        func TestMain(m *testing.M) {
            a := os.Args[len(os.Args)-4:]
            body, _ := os.ReadFile(a[3])
            if !Verify(a[0], a[1], a[2], body) { os.Exit(3) }
        }""", ["go", "test", "-c", "-o", "main", "verify.go", "verify_test.go"], ["./main", "--"]),
    "Verify.java": ("Main.java", """
        class Main {
            public static void main(String[] a) throws Exception {
                byte[] body = java.nio.file.Files.readAllBytes(java.nio.file.Path.of(a[3]));
                System.exit(Verify.verify(a[0], a[1], a[2], body) ? 0 : 3);
            }
        }""", ["javac", "Verify.java", "Main.java"], ["java", "-cp", ".", "Main"]),
    "verify.mjs": ("main.mjs", """
        import { readFileSync } from "node:fs";
        import { verify } from "./verify.mjs";
        const [id, at, signatures, file] = process.argv.slice(2);
        process.exit(verify(id, at, signatures, readFileSync(file)) ? 0 : 3);""", None,
                   ["node", "main.mjs"]),
    "verify.php": ("main.php", """<?php
        require 'verify.php';
        exit(verify($argv[1], $argv[2], $argv[3], file_get_contents($argv[4])) ? 0 : 3);""", None,
                   ["php", "main.php"]),
    "verify.py": ("main.py", """
import sys
import verify
with open(sys.argv[4], "rb") as file:
    sys.exit(0 if verify.verify(*sys.argv[1:4], file.read()) else 3)""", None,
                  ["/usr/bin/python3", "main.py"]),
    "verify.rb": ("main.rb", """
        require_relative "verify"
        exit(verify(ARGV[0], ARGV[1], ARGV[2], File.binread(ARGV[3])) ? 0 : 3)""", None,
                  ["ruby", "main.rb"]),
}
NEEDED = ("gcc", "node", "php", "/usr/bin/python3", "ruby")  # the others where they are


class Code:
    """The code of one language with a secret filled in, as the page does it."""

    def __init__(self, name, folder, secret):
        self.folder, (caller, program, make, self.run) = folder, CALLERS[name]
        text = (CODES / name).read_text()
        assert text.count("whsec_YOUR_SECRET") == 1
        (folder / name).write_text(text.replace("whsec_YOUR_SECRET", secret))
        (folder / caller).write_text(program)
        if make:
            built = subprocess.run(make, cwd=folder, capture_output=True, text=True, timeout=120,
                                   env={**os.environ, "GO111MODULE": "off", "GOFLAGS": ""})
            assert built.returncode == 0, built.stdout + built.stderr

    def takes(self, request, body=None, **headers):
        (self.folder / "body").write_bytes(request.body if body is None else body)
        words = [headers.get(name, request.header(f"webhook-{name}"))
                 for name in ("id", "timestamp", "signature")]
        done = subprocess.run([*self.run, *words, "body"], cwd=self.folder, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode in (0, 3), done.stdout + done.stderr
        return done.returncode == 0


@pytest.mark.parametrize("name", CALLERS)
def test_the_code_of_the_page_verifies_each_kind_of_request(world, receiver, tmp_path, name):
    program = (CALLERS[name][2] or CALLERS[name][3])[0]
    if program not in NEEDED and not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    shapes = [{"Method": "POST", "BodyFormat": "JSON"}, {"Method": "POST", "BodyFormat": "XML"},
              {"Method": "PUT", "BodyFormat": "FORM"}, {"Method": "POST", "BodyFormat": "TEXT"},
              {"Method": "GET"}]
    delivery = Delivery(world, receiver.url("/in?oid={Oid}"))
    code = Code(name, tmp_path, delivery.secret)
    for count, shape in enumerate(shapes, 1):
        delivery.change(**shape)
        delivery.send(Oid="O-1 & más")
        request = receiver.wait(count)[-1]
        assert request.method == shape["Method"] and code.takes(request), shape
    signature = request.header("webhook-signature")
    assert code.takes(request, signature=f"v1,other {signature}")
    assert not code.takes(request, body=request.body + b" ")
    assert not code.takes(request, id="1")
    assert not code.takes(request, timestamp=str(int(request.header("webhook-timestamp")) + 1))
    assert not code.takes(request, timestamp=str(int(time.time()) - 3600))
    assert not code.takes(request, signature=signature[:-2] + "x=")
    assert not code.takes(request, signature="")
