"""script/test itself: what a name finds, what counts as failed, and what is asked again."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import checks  # noqa: E402
from main import UNSTEADY_MOST, Report  # noqa: E402
from pool import Pool  # noqa: E402

FAILS_ONCE = '''
import os

def test_good():
    pass

def test_second_time():
    if not os.path.exists({mark!r}):
        open({mark!r}, "w").close()
        assert 1 == 2
'''


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a file of two tests, of which one fails the first time; gives the report and its words."""
    def run_it(source=FAILS_ONCE, again=True):
        path = str(tmp_path / "test_made.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source.format(mark=str(tmp_path / "mark")))
        report = Report()
        pool = Pool(2, report.tell)
        pool.run([checks.PythonCheck(path, None)])
        if again:
            report.ask_again(pool.once)
        code = report.end()
        return report, code, capsys.readouterr().out
    return run_it


def test_what_fails_once_has_failed(run):
    report, code, said = run(again=False)
    assert (report.passed, report.failed, code) == (1, 1, 1), said
    assert "test_made.py::test_second_time" in said and "assert 1 == 2" in said, said


def test_what_passes_alone_is_named_with_what_it_said(run):
    report, code, said = run()
    assert (report.passed, report.failed, code) == (2, 0, 0), said
    assert "test_second_time: failed beside others, passed alone" in said and "assert 1 == 2" in said, said
    assert "2 passed, 0 failed, 1 of them unsteady" in said, said


def test_what_fails_twice_has_failed(run):
    report, code, said = run("def test_bad():\n    assert 1 == 2\n")
    assert (report.passed, report.failed, code, report.unsteady) == (0, 1, 1, []), said


def test_what_a_sanitizer_found_is_not_asked_again(run):
    report, code, said = run(FAILS_ONCE.replace("1 == 2", "1 == 2, 'ERROR: AddressSanitizer'"))
    assert (report.passed, report.failed, code) == (1, 1, 1), said


def test_many_are_not_asked_again(run):
    many = "".join(FAILS_ONCE.replace("test_second_time", f"test_{at}").replace("{mark!r}", f"{{mark!r}} + '{at}'")
                   for at in range(UNSTEADY_MOST + 1))
    report, code, said = run(many)
    assert (report.failed, code) == (UNSTEADY_MOST + 1, 1), said


def test_a_program_that_ends_before_it_counts_has_failed(tmp_path, capsys):
    broken = tmp_path / "test_broken.py"
    broken.write_text("import os\nos._exit(0)\n")
    report = Report()
    Pool(1, report.tell).run([checks.PythonCheck(str(broken), None)])
    assert (report.passed, report.failed) == (0, 1), capsys.readouterr().out


def test_what_takes_too_long_is_ended(capsys):
    report = Report()
    Pool(1, report.tell).run([checks.Check("hangs", ["tail", "-f", "/dev/null"], timeout=0.2)])
    assert (report.passed, report.failed) == (0, 1), capsys.readouterr().out


@pytest.mark.parametrize("word, name", [
    ("lane_test", "lane_test"), ("lane", "lane_test"), ("test/unit/lane_test.c", "lane_test"),
    ("csv_fuzz", "csv_fuzz"), ("lint", "lint"), ("test_signing_in.py", "test_signing_in"),
    ("test_runner::test_what_fails_once_has_failed", "test_runner"),
    ("test_what_fails_once_has_failed", "test_runner"),
])
def test_a_word_finds_one_check(word, name):
    assert [check.name for check in checks.find(word)] == [name]


@pytest.mark.parametrize("word", ["test_tls", "tls", "test/e2e/test_tls.py"])
def test_an_end_to_end_test_is_run_on_both_engines(word):
    assert [check.name for check in checks.find(word)] == ["test_tls", "test_tls, on PostgreSQL"]


def test_a_test_that_starts_a_postgresql_is_run_once():
    assert [check.name for check in checks.find("test_postgresql")] == ["test_postgresql"]


def test_a_test_of_a_file_is_asked_for_alone():
    (check,) = checks.find("test_a_test_of_a_file_is_asked_for_alone")
    assert check.tests == ["test/runner/test_runner.py::test_a_test_of_a_file_is_asked_for_alone"]


def test_a_row_is_a_word_of_the_first_line_or_of_the_name():
    assert checks.has_word("A1", "test_x", "A1: pipelined requests")
    assert checks.has_word("A1", "test_a1_pipelined", "")
    assert not checks.has_word("A1", "test_x", "A12: pipelined, A1x")


def test_nothing_is_found_by_a_wrong_word():
    assert checks.find("test_that_is_not_there") == []
