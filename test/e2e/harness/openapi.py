"""doc/openapi.yaml, read strictly: its operations, and answers checked against its schemas.

For clients the schemas of answers are open: a later version may add members.  Here they are closed,
so that a member that is not in the file fails as one that is missing does.
"""

import copy
import os
import re
import subprocess

import jsonschema
import yaml

from harness.server import BINARY

FILE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "doc", "openapi.yaml")
ROUTES = os.path.join(os.path.dirname(BINARY), "..", "test", "routes_print")
METHODS = ("get", "post", "put", "delete")
LIMITS = ("X-RateLimit-Limit-hour", "X-RateLimit-Remaining-hour", "RateLimit-Reset",
          "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def routes():
    """The server's own table: {(method, pattern): (accounts, scopes, counted, body_max)}."""
    lines = subprocess.run([ROUTES], check=True, capture_output=True, text=True).stdout.splitlines()
    table = {}
    for line in lines:
        method, pattern, accounts, scopes, counted, body_max = line.split("\t")
        table[method, pattern] = (accounts.split(",") if accounts else [],
                                  scopes.split(",") if scopes else [],
                                  counted == "counted", int(body_max))
    return table


def walk(node, path=""):
    """Every mapping of the file, with where it stands."""
    if isinstance(node, dict):
        yield path, node
        for name, member in node.items():
            yield from walk(member, f"{path}/{name}")
    elif isinstance(node, list):
        for index, member in enumerate(node):
            yield from walk(member, f"{path}/{index}")


class Spec:
    def __init__(self, path=FILE):
        with open(path, encoding="utf-8") as file:
            self.whole = yaml.safe_load(file)
        self.strict = copy.deepcopy(self.whole)
        self._close()
        self.operations = [
            Operation(self, path, method, item, item[method])
            for path, item in self.strict["paths"].items() for method in METHODS if method in item]

    def _close(self):
        """Schemas with properties take no others; those that are parts of an allOf are closed as
        a whole.  (A copy for each place: YAML's aliases are one object.)"""
        self.strict = yaml.load(yaml.dump(self.strict, Dumper=_NoAliases), Loader=yaml.SafeLoader)
        parts = [part for _, node in walk(self.strict) for part in node.get("allOf", ())]
        own = {id(part) for part in parts}
        open_parts = own | {id(self.find(part["$ref"])) for part in parts if "$ref" in part}
        closed = ("additionalProperties", "unevaluatedProperties")
        for path, node in walk(self.strict):
            if id(node) in open_parts or "/example" in path or any(word in node for word in closed):
                continue
            if "$ref" in node and id(self.find(node["$ref"])) in open_parts and id(node) not in own:
                node["unevaluatedProperties"] = False  # a part that stands alone: closed here
            if "allOf" in node:
                node["unevaluatedProperties"] = False
            elif isinstance(node.get("properties"), dict) and node.get("type") == "object":
                node["additionalProperties"] = False

    def find(self, reference):
        node = self.strict
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]
        return node

    def resolved(self, node):
        while "$ref" in node:
            node = self.find(node["$ref"])
        return node

    def validate(self, schema, value):
        """Fails with the place and what was expected there."""
        resolver = jsonschema.RefResolver.from_schema(self.strict)
        validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
        wrong = [f"{'.'.join(map(str, error.absolute_path)) or 'the whole'}: {error.message}"
                 for error in validator.iter_errors(value)]
        assert not wrong, "\n".join(wrong)


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


class Operation:
    def __init__(self, spec, path, method, item, raw):
        self.spec, self.path, self.method, self.raw = spec, path, method.upper(), raw
        self.id = raw["operationId"]
        self.accounts, self.scopes = raw.get("x-accounts", []), raw.get("x-scopes", [])
        security = raw.get("security", spec.whole["security"])
        self.signed_in = {"basic": []} in security or {"session": []} in security
        parameters = [spec.resolved(one) for one in item.get("parameters", []) +
                      raw.get("parameters", [])]
        self.path_names = [one["name"] for one in parameters if one["in"] == "path"]
        self.query = [one for one in parameters if one["in"] == "query"]
        self.headers = {one["name"] for one in parameters if one["in"] == "header"}
        self.body = spec.resolved(raw["requestBody"]) if "requestBody" in raw else None
        self.responses = {status: spec.resolved(one) for status, one in raw["responses"].items()}

    def __repr__(self):
        return f"{self.method} {self.path}"

    @property
    def success(self):
        return next(status for status in self.responses if status.startswith("2"))

    def body_schema(self, content_type):
        """The first one where there are several."""
        schema = self.body["content"][content_type]["schema"]
        return self.spec.resolved(schema["oneOf"][0] if "oneOf" in schema else schema)

    def fill(self, values):
        return re.sub(r"\{(\w+)\}", lambda found: str(values[found.group(1)]), self.path)

    def check(self, response, status=None):
        """The answer is one that the file has: its status (the one given, if any, and then not by
        `default`), content type, headers and body."""
        where = f"{self}: {response.status_code}: {response.text[:2000]}"
        if status is not None:
            assert response.status_code == int(status), f"expected {status}, got {where}"
            assert str(status) in self.responses, f"{self} may answer {status} and does not say so"
        told = self.responses.get(str(response.status_code), self.responses["default"])
        for name, header in told.get("headers", {}).items():
            assert name in response.headers, f"no {name} in {where}"
            schema = self.spec.resolved(header)["schema"]
            self.spec.validate(schema, response.headers[name])
        kind = response.headers["Content-Type"].split(";")[0]
        assert kind in told["content"], f"{kind} in {where}"
        schema = told["content"][kind]["schema"]
        value = response.json() if kind == "application/json" else response.text
        try:
            self.spec.validate(schema, value)
        except AssertionError as error:
            raise AssertionError(f"{where}\n{error}") from None
        return value
