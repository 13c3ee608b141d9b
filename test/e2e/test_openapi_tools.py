"""C12: doc/openapi.yaml in the hands of published tools: a linter, and a generator of clients."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from harness.npm import packages
from harness.openapi import FILE, Spec

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_openapi")
QUIET = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


@pytest.fixture(scope="module")
def run():
    """Runs one of the tools, which are installed by the lock file; gives what it printed."""
    tools = os.path.join(packages(HERE), ".bin")

    def ran(tool, *arguments):
        done = subprocess.run([os.path.join(tools, tool), *arguments], cwd=HERE, env=QUIET,
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{tool} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout
    return ran


def test_the_linter_finds_nothing(run):
    """C12: neither an error nor a warning of Redocly's recommended rules."""
    told = json.loads(run("redocly", "lint", "--extends=recommended", "--format=json", FILE))
    found = [f"{one['ruleId']}: {one['message']}" for one in told["problems"]]
    assert found == []


def test_a_client_made_of_the_file_does_its_work(run, world, tmp_path):
    """C12: a generated client, its types checked, opens an inquiry and lists notifications."""
    made, built = tmp_path / "made", tmp_path / "built"
    run("openapi-ts", "--input", FILE, "--output", str(made), "--client", "@hey-api/client-fetch",
        "--no-log-file")
    shutil.copy(os.path.join(HERE, "client.ts"), tmp_path)
    run("tsc", "--strict", "--skipLibCheck", "--target", "es2022",
        "--module", "commonjs", "--moduleResolution", "node10", "--lib", "es2022,dom,dom.iterable",
        "--outDir", str(built), str(tmp_path / "client.ts"))
    world.notify(world.partner, "http://127.0.0.1:9/pb", Name="Warehouse")
    token = world.token(world.partner.sid, "API")
    ran = subprocess.run(
        ["node", str(built / "client.js"), world.server.base, world.partner.sid, token,
         world.campaign], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "order": "A-2001", "total": "1", "names": ["Warehouse"],
        "fields": ["OrderId", "TransactionDate", "TransactionAmount"]}


# ---- what other generators stumbled over ----

def test_the_file_has_no_aliases():
    """C12: readers of YAML allow some 50 of them; a $ref says the same."""
    with open(FILE, encoding="utf-8") as file:
        aliases = [event for event in yaml.parse(file, Loader=yaml.SafeLoader)
                   if isinstance(event, yaml.AliasEvent)]
    assert aliases == []


def test_json_is_the_first_content_type_of_a_body():
    """C12: generators take the first one."""
    bodies = Spec().whole["components"]["requestBodies"]
    late = [name for name, body in bodies.items()
            if "application/json" in list(body["content"])[1:]]
    assert late == []


def test_components_of_different_kinds_have_different_names():
    """C12: a generator makes one type of each; only an answer may be called as its schema is."""
    components = Spec().whole["components"]
    kinds = ["parameters", "requestBodies", "schemas"]
    names = [name for kind in kinds for name in components[kind]]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
    for name, answer in components["responses"].items():
        for content in answer["content"].values():
            if name in components["schemas"]:
                assert content["schema"] == {"$ref": f"#/components/schemas/{name}"}, name


def test_a_flow_mapping_has_no_member_without_a_value():
    """C12: an unquoted comma in a text makes a member of what follows it."""
    with open(FILE, encoding="utf-8") as file:
        text = file.read()
    cut = [line.strip() for line in text.splitlines()
           if re.search(r"description: [^'\"\[{}>|][^}'\"]*, (?!\w+: )[^}]*}", line)]
    assert cut == []
