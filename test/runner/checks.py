"""What there is to run: a check is one program, whose result counts as one (a unit test, a fuzzer,
lint) or, of a file of pytest's, as many as it has tests."""

import ast
import contextlib
import glob
import os
import re
import shutil
import sys
import tempfile
import xml.etree.ElementTree

from builds import BUILDS, ROOT, SANITIZERS, SERVER

FUZZ_SECONDS = 3
THREADED = ["store_test", "events_test", "fan_outs_test", "postbacks_test", "meetings_test",
            "readers_test", "read_turns_test", "feed_test", "outcomes_test",
            "retention_test", "engine_test", "postgres_store_test"]  # under the thread sanitizer

# Unit tests that run on PostgreSQL too: the driver's contract, and the store's nouns.
ON_POSTGRESQL = ["db_conformance_test", "db_conformance_faults_test", "accounts_test", "actions_test",
                 "campaigns_test", "changes_test", "dedupe_test", "direct_test", "duty_test",
                 "errands_test", "event_types_test", "events_test", "fan_outs_test", "feed_test", "inquiries_test",
                 "inquiry_list_test", "notifications_test", "outcomes_test", "postbacks_test",
                 "quotas_test", "readers_test", "replays_test", "retention_test", "rules_test",
                 "samples_test", "secrets_test", "store_test", "tracking_test"]

# Files that take long, in seconds on two quiet processors: they begin first, the longest of all at
# the head.
LONG = {"test_many_nodes": 150, "test_every_page": 130, "test_operations": 60, "test_openapi": 120, "test_stopped": 90,
        "test_operator_pages": 85, "test_sessions": 80, "test_names": 75, "test_inquiry_pages": 70, "test_notification_pages": 70, "test_action_pages": 60,
        "test_out_of_memory": 60, "test_crash": 50, "test_start": 45, "test_maintenance": 45,
        "test_openapi_tools": 40, "test_fan_out": 40, "test_receivers": 40, "test_ordered": 35,
        "test_delivery_settings": 35, "test_answers": 35, "test_lateness": 35, "test_upgrade": 35}

# Run once more with each transaction of the store run, undone and run again (test/faults/preload.c):
# every kind of job that writes is in one of them.
AGAIN = ("action_life", "approval_rules", "credentials", "crash", "data_points", "event_batches", "event_notifications",
         "event_types", "fan_out", "full_disk", "idempotency", "inquiry_files", "inquiry_life",
         "jobs", "lateness", "lost_log", "maintenance", "maximum_age", "operator", "outward",
         "postback_log", "quotas", "replays",
         "retention", "series", "sessions", "sign_in", "start", "support", "tls_identity", "track")

# End-to-end tests about loss: on PostgreSQL they have a server of their own, as safe as it is shipped.
# All others share one for the run, which does not wait for the disk (shared_postgres()).
ABOUT_LOSS = ("test_crash",)

# What cannot share the machine with other tests, and why.
ALONE = {"chaos": "it holds nodes to promises of a second"}


POSTGRESQL = {"POSTBACKD_TEST_ENGINE": "postgresql"}
SHARED = "POSTBACKD_TEST_POSTGRES"  # the folder of the shared one's socket


class Result:
    def __init__(self, passed, failed, log):
        """failed: the names of what failed: of tests, or the check's own."""
        self.passed, self.failed, self.log = passed, failed, log


class Check:
    def __init__(self, name, command, build=None, targets=(), timeout=300):
        self.name, self.command, self.build, self.targets = name, command, build, targets
        self.timeout = timeout
        self.scratch = None

    @property
    def label(self):
        return self.name if self.build in (None, "gcc") else f"{self.name} ({self.build})"

    @property
    def cost(self):
        return LONG.get(self.name.split(",")[0], 0)

    @property
    def alone(self):
        return self.name in ALONE

    def prepare(self):
        """The command and the environment of one run, which has a folder of its own."""
        self.scratch = tempfile.mkdtemp(prefix="postbackd-check-")
        return [part.replace("{scratch}", self.scratch) for part in self.command], {
            **os.environ, **SANITIZERS, "PYTHONDONTWRITEBYTECODE": "1"}

    def read(self, code, log):
        """The result of a run that ended with that code (None: it took too long)."""
        if code is None:
            log += f"\nended: it took over {self.timeout} s\n"
        return Result(int(code == 0), [] if code == 0 else [self.name], log)

    def clean(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def only(self, names):
        """A check of those of its names alone."""
        return self


class PythonCheck(Check):
    """A file of pytest's, or some tests of it, against the server of a build."""

    def __init__(self, path, build, tests=(), name=None, environment=None):
        self.path, self.tests, self.environment = path, list(tests), environment or {}
        super().__init__(name or os.path.basename(path)[:-len(".py")], [
            "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "--junitxml={scratch}/results.xml", *(self.tests or [path])],
            build, SERVER if build else (), timeout=1200)

    @property
    def shares_postgres(self):
        return (self.environment == POSTGRESQL and
                os.path.basename(self.path)[:-len(".py")] not in ABOUT_LOSS)

    def prepare(self):
        command, environment = super().prepare()
        if not self.shares_postgres:
            environment.pop(SHARED, None)
        if self.build:
            environment["POSTBACKD"] = BUILDS[self.build].path("src", "postbackd")
        return command, {**environment, **self.environment}

    def read(self, code, log):
        passed, failed = 0, []
        try:
            tree = xml.etree.ElementTree.parse(os.path.join(self.scratch, "results.xml"))
        except (OSError, xml.etree.ElementTree.ParseError):  # it ended before it could count
            return super().read(code, log) if code != 0 else super().read(1, log)
        for case in tree.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(f"{self.path}::{case.get('name')}")
            elif case.find("skipped") is None:
                passed += 1
        if code not in (0, 1) or (code == 1 and not failed):
            failed.append(self.name)
        return Result(passed, sorted(set(failed)), log)

    def only(self, names):
        return self if self.name in names else PythonCheck(self.path, self.build, names, self.name, self.environment)


def program(name, build, timeout=300):
    return Check(name, [BUILDS[build].path("test", name)], build, [f"test/{name}"], timeout)


def on_postgresql(name, build):
    """The same program, with a server that it starts for itself."""
    return Check(f"{name}, on PostgreSQL", ["env", "POSTBACKD_TEST_ENGINE=postgresql",
                                            BUILDS[build].path("test", name)],
                 build, [f"test/{name}"])


def stems(pattern):
    return sorted(os.path.splitext(os.path.basename(path))[0]
                  for path in glob.glob(os.path.join(ROOT, pattern)))


def units(build="gcc"):
    return [program(name, build, 600 if build == "tsan" else 300)
            for name in (THREADED if build == "tsan" else stems("test/unit/*_test.c"))]


def fuzzers():
    """Each over its kept corpus, and a little beyond: the same way each time, so that a finding is one
    of this change.  Who looks for more runs the program in build-clang/test by hand."""
    def fuzzer(name):
        return Check(name, [BUILDS["clang"].path("test", name), f"-max_total_time={FUZZ_SECONDS}",
                            "-seed=1", "-artifact_prefix={scratch}/", "{scratch}", f"test/fuzz/corpus/{name}"],
                     "clang", [f"test/{name}"], timeout=120)
    return [fuzzer(name) for name in stems("test/fuzz/*_fuzz.c")]


def python_files():
    return sorted(os.path.relpath(path, ROOT) for folder in ("e2e", "web", "runner", "chaos")
                  for path in glob.glob(os.path.join(ROOT, "test", folder, "test_*.py")))


def python_check(path, build, tests=()):
    needs_none = path.startswith(("test/runner/", "test/chaos/"))
    return PythonCheck(path, None if needs_none else build, tests)


def starts_postgres(path):
    """Whether it has what it needs of PostgreSQL by itself, whatever the run is on."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        return re.search(r"^from harness\.(postgres|cluster) |script/cluster", source.read(), re.M) is not None


def on_both(path, build, tests=()):
    """An end-to-end test on SQLite, and on PostgreSQL but for what is about one file (its mark)."""
    yield python_check(path, build, tests)
    if path.startswith("test/e2e/") and not starts_postgres(path):
        stem = os.path.basename(path)[:-len(".py")]
        yield PythonCheck(path, "gcc", tests, f"{stem}, on PostgreSQL", POSTGRESQL)


@contextlib.contextmanager
def shared_postgres(chosen):
    """While the checks run that share one."""
    if not any(getattr(check, "shares_postgres", False) for check in chosen):
        yield
        return
    sys.path.append(os.path.join(ROOT, "test", "e2e"))
    from harness.postgres import Postgres  # pylint: disable=import-outside-toplevel
    server = Postgres(["fsync=off", "full_page_writes=off", "max_connections=400",
                       "max_wal_size=256MB", "autovacuum_naptime=5s"])
    os.environ[SHARED] = server.folder
    try:
        yield
    finally:
        del os.environ[SHARED]
        server.stop()


def lint():
    return Check("lint", ["script/lint"])


def chaos():
    """A minute of it: always the same misfortunes, in the same order."""
    return Check("chaos", ["env", f"POSTBACKD={BUILDS['gcc'].path('src', 'postbackd')}", "script/chaos",
                           "--seconds", "60", "--seed", "26"], "gcc", SERVER, timeout=600)


def everything():
    """All but lint, which needs no build."""
    shipped = PythonCheck("test/e2e/test_crash.py", "gcc", name="test_crash, as shipped")
    again = [PythonCheck(f"test/e2e/test_{name}.py", "gcc", name=f"test_{name}, run again",
                         environment={"POSTBACKD_FAULTS_RUN_AGAIN": "1"}) for name in AGAIN]
    return [*units("gcc"), *units("asan"), *units("tsan"), *fuzzers(),
            *[on_postgresql(name, "gcc") for name in ON_POSTGRESQL],
            *[check for path in python_files() for check in on_both(path, "asan")],
            *again, shipped,  # without sanitizers, with mimalloc
            chaos()]


# ---- by name ----

ROW = re.compile(r"[A-Z]{1,2}[0-9]{1,3}")  # of a table of cases: its tests have it as a word


def functions(path):
    """The tests of a Python file: name, and the first line of what it says."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        tree = ast.parse(source.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, (ast.get_docstring(node) or "").split("\n")[0]


def has_word(word, name, text):
    return word.lower() in name.lower().split("_") or re.search(rf"\b{word}\b", text) is not None


def of_row(row, build):
    found = []
    for path in python_files():
        tests = [f"{path}::{name}" for name, text in functions(path) if has_word(row, name, text)]
        if tests:
            found.append(python_check(path, build, tests))
    for name in stems("test/unit/*_test.c"):
        with open(os.path.join(ROOT, "test/unit", name + ".c"), encoding="utf-8") as source:
            if re.search(rf"\b{row}\b", source.read()):
                found.append(program(name, build))
    return found


def of_function(word, build):
    name = word.split("[")[0]
    return [check for path in python_files() if any(name == known for known, _ in functions(path))
            for check in on_both(path, build, [f"{path}::{word}"])]


def find(word, build="gcc"):
    """The checks that a word names: a unit test, a fuzzer, a file or a test of pytest's (with or
    without its folder, `_test`, `test_` and ending), `lint`, or a row's id."""
    file, _, test = word.partition("::")
    stem = os.path.splitext(os.path.basename(file))[0]
    if word == "lint":
        return [lint()]
    if word == "chaos":
        return [chaos()]
    for path in python_files():
        if os.path.basename(path) in (stem + ".py", f"test_{stem}.py") and not (
                "/" in file and file not in path):
            return list(on_both(path, build, [f"{path}::{test}"] if test else ()))
    for name in (stem, stem + "_test"):
        if name in stems("test/unit/*_test.c"):
            both = [on_postgresql(name, build)] if name in ON_POSTGRESQL else []
            return [program(name, build), *both]
    for check in fuzzers():
        if check.name == stem:
            return [check]
    return of_row(word, build) if ROW.fullmatch(word) else of_function(word, build)


def known():
    """All names that may be given."""
    return ["lint", "chaos", *stems("test/unit/*_test.c"), *stems("test/fuzz/*_fuzz.c"),
            *[os.path.basename(path)[:-len(".py")] for path in python_files()]]
