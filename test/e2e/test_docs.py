"""The manual pages, the catalog page and the packaging, held against the binary."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.server import BINARY

pytestmark = pytest.mark.one_file("no server has a part in it")

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["doc/postbackd.1", "doc/postbackd.conf.5"]


def output(*command, **rest):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, **rest)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def manual(page):
    """As a reader sees it, each paragraph on one line."""
    text = re.sub(r".\x08", "", output("mandoc", "-Tascii", "-O", "width=900", page))
    return [line.strip() for line in text.splitlines()]


def settings():
    """[(name, argument, default)] of `serve --help`."""
    rows = re.findall(r"^  --([a-z-]+) (\S+) +(.+)$", output(BINARY, "serve", "--help"), re.M)
    assert len(rows) > 5
    return [(name, argument, (re.findall(r"\[(\S+)\]$", rest) or [None])[0])
            for name, argument, rest in rows]


def commands():
    """[(noun verb WORDS, [field names])] of `admin --help`."""
    found = []
    for line in re.findall(r"^  ([a-z]+ [a-z]+ .*)$", output(BINARY, "admin", "--help"), re.M):
        words = re.match(r"[a-z]+ [a-z]+(?: [A-Z]+\b(?!=))*", line).group(0)
        found.append((words, re.findall(r"\b([A-Z][A-Za-z]+)=", line)))
    assert len(found) > 15
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_manual_page_is_well_formed(page):
    assert output("mandoc", "-Tlint", "-Wwarning", page) == ""


def test_the_manual_has_every_setting():
    command, file = manual(PAGES[0]), manual(PAGES[1])
    for name, argument, default in settings():
        assert f"--{name} {argument}" in command
        at = file.index(f"{name} = {argument}")
        told = re.findall(r"Default: (\S+?)\.?$", file[at + 1])
        assert (told or [None])[0] in (default, None if default else "none"), name


def test_the_manual_has_no_setting_that_is_not_there():
    names = {name for name, _, _ in settings()}
    assert {line[2:].split()[0] for line in manual(PAGES[0])
            if line.startswith("--")} <= names | {"url", "data", "ca-file", "quiet", "to", "key-to", "from", "key"}
    assert {found.group(1) for found in (re.match(r"([a-z-]+) = [A-Z:]+$", line)
                                         for line in manual(PAGES[1])) if found} == names


def test_the_manual_has_every_admin_command_with_its_fields():
    page = manual(PAGES[0])
    told = page[page.index("The commands are:"):]
    for words, fields in commands():
        lines = [line for line in told if line == words or line.startswith(words + " ")]
        assert len(lines) == 1, f"{words}: {lines}"
        assert re.findall(r"\b([A-Z][A-Za-z]+)=", lines[0]) == fields, words


def test_the_catalog_page_is_as_the_server_has_it(tmp_path):
    output("script/docs", str(tmp_path / "catalog.md"), env={**os.environ, "POSTBACKD": BINARY
           if os.path.isabs(BINARY) else str(ROOT / BINARY)})
    assert (tmp_path / "catalog.md").read_text() == (ROOT / "doc/catalog.md").read_text(), \
        "run script/docs"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "doc/guide.md", "doc/operations.md",
                                  "doc/pages.md"])
def test_every_link_leads_somewhere(page):
    path = ROOT / page
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text()):
        file, _, place = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), f"{page}: {target}"
        if place and there.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", there.read_text(), re.M)
            assert place in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
                             for title in titles}, f"{page}: {target}"


def test_the_clusters_settings_and_commands_are_there():
    text = (ROOT / "doc/operations.md").read_text()
    known = {name for name, _, _ in settings()}
    shown = re.search(r"postbackd\.conf <<END\n(listen = .*?)\nEND", text, re.S).group(1)
    assert {line.split(" = ")[0] for line in shown.splitlines()} <= known
    for words in re.findall(r"`postbackd admin\s+(\w+ \w+)", text):
        assert words in {" ".join(found.split()[:2]) for found, _ in commands()}, words
    for name in re.findall(r"`([a-z]+-[a-z-]+)`", text):
        assert name in known | {"webhook-id", "node-1", "node-3"}, name


# ---- packaging ----

def test_the_sample_settings_are_the_defaults(tmp_path):
    known = {name: default for name, _, default in settings()}
    lines = (ROOT / "packaging/postbackd.conf").read_text().splitlines()
    shown = dict(re.fullmatch(r"# ([a-z-]+) = (.+)", line).groups()
                 for line in lines if " = " in line)
    assert set(known) - set(shown) <= {"data", "config", "node"}
    for name, value in shown.items():
        assert known[name] in (value, None), name
    assert all(line == "" or line.startswith("#") for line in lines)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_unit_is_well_formed_and_hardened(tmp_path):
    text = (ROOT / "packaging/postbackd.service").read_text()
    unit = tmp_path / "postbackd.service"
    assert "\nExecStart=postbackd serve " in text
    unit.write_text(text.replace("ExecStart=postbackd", f"ExecStart={os.path.abspath(BINARY)}"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)],
                          capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if "postbackd.service" in line]
    assert (done.returncode, about) == (0, [])
    exposure = output("systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit))
    assert "Overall exposure level" in exposure


def test_the_units_settings_are_settings():
    text = (ROOT / "packaging/postbackd.service").read_text()
    flags = re.findall(r"--([a-z-]+)", re.search(r"^ExecStart=(.*)$", text, re.M).group(1))
    assert flags == ["data", "config"]


def test_every_page_has_its_picture_and_every_picture_its_page():
    told = (ROOT / "doc/pages.md").read_text()
    shown = set(re.findall(r"\(pictures/([a-z-]+\.webp)\)", told))
    assert shown == {path.name for path in (ROOT / "doc/pictures").iterdir()}
    assert set(re.findall(r"\(doc/pictures/([a-z-]+\.webp)\)", (ROOT / "README.md").read_text())) < shown
    for path in re.findall(r"PAGE\(\"(/[a-z-/]*)\"\)", (ROOT / "src/api/pages.c").read_text()):
        assert path in ("/", "/operator", "/notifications/new") or path in told, f"{path} is not told"


# ---- completion ----

def completed(*words):
    """What bash offers behind these words."""
    path = f"{os.path.dirname(BINARY)}:{os.environ['PATH']}"
    script = (". packaging/completions/postbackd.bash; COMP_WORDS=(postbackd \"$@\"); "
              "COMP_CWORD=$#; _postbackd; printf '%s\\n' \"${COMPREPLY[@]}\"")
    return output("bash", "-c", script, "bash", *words, env={**os.environ, "PATH": path}).split()


def test_bash_completes_commands_flags_and_the_operators_words():
    assert "serve" in completed("") and completed("chec") == ["check"]
    assert {f"--{name}" for name, _, _ in settings()} <= set(completed("serve", "--"))
    assert completed("serve", "--keep") == ["--keep-days"]
    assert completed("admin", "maint") == ["maintenance"]
    assert set(completed("admin", "token", "")) == {"add", "list", "revoke"}


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_takes_its_completion():
    output("zsh", "-n", "packaging/completions/_postbackd")
