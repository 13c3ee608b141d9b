"""script/circles: what it calls a circle of files, and what it does not."""

import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "script", "circles")


@pytest.fixture
def circles(tmp_path):
    """Writes files of a floor, and gives the circles found in it, by their names."""
    sys.dont_write_bytecode = True  # nothing is left beside the script
    loader = SourceFileLoader("circles", SCRIPT)
    script = module_from_spec(spec_from_loader("circles", loader))
    loader.exec_module(script)
    floor = tmp_path / "floor"
    floor.mkdir()

    def find(**files):
        for name, text in files.items():
            stem, kind = name.rsplit("_", 1)
            (floor / f"{stem}.{kind}").write_text(text)
        found = script.circles(script.knows(floor))
        return sorted(script.name_of(circle) for circle in found)

    return find


def uses(noun, other):
    return (f'#include "floor/{noun}.h"\n#include "floor/{other}.h"\n\n'
            f"void {noun}_run(void)\n{{\n    {other}_run();\n}}\n")


def header(noun):
    return f"void {noun}_run(void);\n"


def test_files_that_use_each_other(circles):
    assert circles(one_c=uses("one", "two"), two_c=uses("two", "one"),
                   one_h=header("one"), two_h=header("two")) == ["one two"]


def test_a_way_round_by_a_third(circles):
    assert circles(one_c=uses("one", "two"), two_c=uses("two", "three"), three_c=uses("three", "one"),
                   one_h=header("one"), two_h=header("two"), three_h=header("three"),
                   four_c=uses("four", "one"), four_h=header("four")) == ["one three two"]


def test_one_way_is_none(circles):
    assert circles(one_c=uses("one", "two"), one_h=header("one"), two_h=header("two"),
                   two_c='#include "floor/two.h"\n\nvoid two_run(void)\n{\n}\n') == []


def test_by_a_header_that_another_header_includes(circles):
    assert circles(one_c=uses("one", "all"), one_h=header("one"), all_h='#include "floor/two.h"\n',
                   two_h=header("two"),
                   two_c=uses("two", "one")) == []  # one does not use two yet
    assert circles(one_c='#include "floor/all.h"\n\nvoid one_run(void)\n{\n    two_run();\n}\n') == \
        ["one two"]


def test_a_type_a_word_and_a_call_back_are_none(circles):
    assert circles(
        one_c=uses("one", "two"), one_h=header("one") + "struct one_run;\n", two_h=header("two"),
        two_c='#include "floor/one.h"\n\n/* one_run() calls this. */\n'
              "void two_run(void)\n{\n    struct one_run *told = 0;\n    told->one_run(told);\n}\n") == []
