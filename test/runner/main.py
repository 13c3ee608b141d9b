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

Ends with "N passed, N failed"; the exit code is 0 when none failed.  Nothing is run a second time
but what is named in test/may_run_again.txt.
"""

import argparse
import difflib
import os
import signal
import subprocess
import sys
import zlib

import again
import checks
from builds import BUILDS, ROOT
from pool import Pool

SHOWN_LINES = 120  # of what a failed program said


class Report:
    def __init__(self, whole_log=False):
        self.passed, self.failed, self.whole_log = 0, 0, whole_log
        self.may = again.load()
        self.pool = None

    def tell(self, check, result, seconds):
        if result.failed and all(name in self.may for name in result.failed):
            result = self.second_run(check, result)
        self.passed += result.passed
        self.failed += len(result.failed)
        count = f"  {result.passed} passed" if isinstance(check, checks.PythonCheck) else ""
        self.say("FAILED" if result.failed else "ok", check.label, f"{count}  {seconds:.1f} s")
        for name in result.failed:
            if name != check.name:
                print(f"        {name}")
        if result.failed or self.whole_log:
            lines = result.log.splitlines()
            print("\n".join(lines if self.whole_log else lines[-SHOWN_LINES:]), flush=True)

    def second_run(self, check, first):
        for name in first.failed:
            self.say("again", name, f": {self.may[name]}")
        second = self.pool.once(check.only(first.failed))
        second.passed += first.passed
        return second

    def step(self, name, error):
        """One thing that is done, or failed with words."""
        self.passed += error is None
        self.failed += error is not None
        self.say("ok" if error is None else "FAILED", name)
        if error is not None:
            print("\n".join(error.splitlines()[-SHOWN_LINES:]), flush=True)

    @staticmethod
    def say(what, name, more=""):
        print(f"{what:<8}{name}{more}", flush=True)


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
    report.pool = pool = Pool(options.jobs, report.tell)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        ready = make(report, chosen, whole)
        with checks.shared_postgres(ready):
            pool.run(ready)
    finally:
        pool.stop()
    print(f"{report.passed} passed, {report.failed} failed")
    return 0 if report.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
