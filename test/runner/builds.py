"""The builds that are tested: a folder each, configured once."""

import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ADDRESS = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
SERVER = ["src/postbackd", "test/libfaults.so", "test/routes_print"]  # what end-to-end tests run
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


class Build:
    def __init__(self, folder, compiler, what, *flags):
        self.folder, self.compiler, self.what, self.flags = folder, compiler, what, flags

    def path(self, *parts):
        return os.path.join(ROOT, self.folder, *parts)

    def has_tests(self):
        """One that script/demo made, on a machine without what the tests need, has none."""
        with open(self.path("meson-info", "intro-buildoptions.json"), encoding="utf-8") as told:
            options = {option["name"]: option["value"] for option in json.load(told)}
        return options["tests"] == "enabled"

    def commands(self, targets):
        """Configures if that was never done, then builds (everything, when no target is named)."""
        if not os.path.exists(self.path("build.ninja")):
            strict = "-Dwerror=true" if os.environ.get("CI") else "-Dwerror=false"
            yield ["env", f"CC={self.compiler}", "meson", "setup", self.folder, strict,
                   "-Dtests=enabled", *self.flags]
        elif not self.has_tests():
            yield ["meson", "setup", "--reconfigure", self.folder, "-Dtests=enabled"]
        yield ["ninja", "-C", self.folder, *targets]

    def make(self, targets=()):
        """None, or what was said when it failed."""
        for command in self.commands(targets):
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace")
            if done.returncode != 0:
                return done.stdout
        return None


BUILDS = {
    "gcc": Build("build", "gcc", "gcc"),
    "asan": Build("build-asan", "gcc", "gcc, address and undefined-behaviour sanitizers", *ADDRESS),
    "clang": Build("build-clang", "clang", "clang, the same, with fuzzers", *ADDRESS, "-Dfuzz=true"),
    "tsan": Build("build-tsan", "gcc", "gcc, thread sanitizer",
                  "-Db_sanitize=thread", "-Db_lundef=false"),
}
