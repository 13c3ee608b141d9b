"""script/test             everything: lint, every build, unit tests, fuzzers, end-to-end tests, pages
script/test NAME...     these alone, building what they need: a unit test (lane_test), a file of
                        end-to-end tests (test_tls) or one of its tests (test_tls::test_x, test_x),
                        a file of the pages' tests, a fuzzer (csv_fuzz), lint, a row's id (A1)
script/test --quick     lint, all unit tests, and a tenth of the end-to-end and the pages' tests,
                        always the same one
script/test --list      the names

  --build NAME   with names: gcc (as is), asan (the address sanitizer), tsan, clang
  --jobs N       so many side by side (one more than processors, as is)
  --log          shows what every program said, not only those that failed

Ends with "N passed, N failed"; the exit code is 0 when none failed.  Of a run of everything, up to
three tests that failed are run a second time, alone, when all others are done.  What passes then is
named as unsteady, with what it said when it failed; what a sanitizer found is never asked again.
"""

import argparse
import difflib
import os
import signal
import subprocess
import sys
import zlib

import checks
from builds import BUILDS, ROOT
from pool import Pool

SHOWN_LINES = 120  # of what a failed program said
UNSTEADY_MOST = 3  # more than a crowded machine explains


class Report:
    def __init__(self, whole_log=False):
        self.passed, self.failed, self.whole_log = 0, 0, whole_log
        self.fell, self.unsteady = [], []

    def tell(self, check, result, seconds):
        self.passed += result.passed
        self.failed += len(result.failed)
        count = f"  {result.passed} passed" if isinstance(check, checks.PythonCheck) else ""
        self.say("FAILED" if result.failed else "ok", check.label, f"{count}  {seconds:.1f} s")
        for name in result.failed:
            if name != check.name:
                print(f"        {name}")
        if result.failed:
            self.fell.append((check, result))
        if result.failed or self.whole_log:
            lines = result.log.splitlines()
            print("\n".join(lines if self.whole_log else lines[-SHOWN_LINES:]), flush=True)

    def ask_again(self, once):
        """Of those that failed, when they are few.  once(check): the result of another run."""
        if self.failed > UNSTEADY_MOST:
            return
        for check, first in self.fell:
            if "Sanitizer" in first.log or once(check.only(first.failed)).failed:
                continue
            self.failed -= len(first.failed)
            self.passed += len(first.failed)
            self.unsteady += first.failed

    def end(self):
        for name in self.unsteady:
            self.say("unsteady", name, ": failed beside others, passed alone")
        print(f"{self.passed} passed, {self.failed} failed" +
              (f", {len(self.unsteady)} of them unsteady" if self.unsteady else ""))
        return 0 if self.failed == 0 else 1

    def step(self, name, error):
        """One thing that is done, or failed with words."""
        self.passed += error is None
        self.failed += error is not None
        self.say("ok" if error is None else "FAILED", name)
        if error is not None:
            print("\n".join(error.splitlines()[-SHOWN_LINES:]), flush=True)

    @staticmethod
    def say(what, name, more=""):
        print(f"{what:<8} {name}{more}", flush=True)


def make(report, chosen, whole):
    """Builds what the checks need; gives those that can run."""
    for name, build in BUILDS.items():
        of_it = [check for check in chosen if check.build == name]
        if not of_it:
            continue
        every = whole and name != "tsan"
        targets = () if every else sorted({target for check in of_it for target in check.targets})
        error = build.make(targets)
        if whole or error:
            report.step(f"build ({build.what})", error)
        if error:
            chosen = [check for check in chosen if check.build != name]
    return chosen


def tenth():
    """Of the tests of pytest's, by their names, so that it is the same tenth everywhere."""
    listed = subprocess.run(["/usr/bin/python3", "-m", "pytest", "--collect-only", "-q",
                             "-p", "no:cacheprovider", "test/e2e", "test/web"],
                            cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        sys.exit(listed.stdout + listed.stderr)
    files = {}
    for name in listed.stdout.splitlines():
        if "::" in name and zlib.crc32(name.encode()) % 10 == 0:
            files.setdefault(name.partition("::")[0], []).append(name)
    return [checks.python_check(path, "gcc", names) for path, names in files.items()]


def named(words, build):
    chosen = []
    for word in words:
        found = checks.find(word, build)
        if not found:
            near = difflib.get_close_matches(word, checks.known(), 5, 0.4)
            sys.exit(f"script/test: no test is called {word}" + (
                f"; there is {', '.join(near)}" if near else "; --list shows the names"))
        chosen += found
    return chosen


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--build", choices=list(BUILDS), default="gcc")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1)
    options = parser.parse_args()
    if options.list:
        print("\n".join(checks.known()))
        return 0
    report = Report(options.log)
    whole = not options.names and not options.quick
    if options.names:
        chosen = named(options.names, options.build)
    elif options.quick:
        chosen = [checks.lint(), *checks.units(), *tenth()]
    else:
        chosen = [checks.lint(), *checks.everything()]
    pool = Pool(options.jobs, report.tell)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        ready = make(report, chosen, whole)
        with checks.shared_postgres(ready):
            pool.run(ready)
            if whole:
                report.ask_again(pool.once)
    finally:
        pool.stop()
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
