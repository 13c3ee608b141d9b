"""The routes of the API, read from the tables in src/api, so that no test forgets one."""

import pathlib
import re

TABLE = r"const struct route \w+_routes\[\] = \{(.*?)\n\};"
ROW = r"\{\s*(?:\.method = )?\"([A-Z]+)\",\s*(?:\.pattern = )?([^,]+),"
SOURCES = pathlib.Path(__file__).resolve().parents[3] / "src" / "api"


def _pattern(text, macros):
    """PARTNER "/{Id}" → "/Mediapartners/{SID}/ActionInquiries/{Id}"."""
    pieces = re.findall(r'"([^"]*)"|([A-Z_]+)', text)
    return "".join(literal if literal else macros[macro] for literal, macro in pieces)


def routes():
    """[(method, pattern)] of every table."""
    found = []
    for source in sorted(SOURCES.glob("*.c")):
        text = source.read_text()
        macros = dict(re.findall(r'^#define ([A-Z_]+) +"([^"]*)"', text, re.MULTILINE))
        for table in re.findall(TABLE, text, re.DOTALL):
            rows = re.findall(ROW, table)
            assert len(rows) == len(re.findall(r"^    \{", table, re.MULTILINE)), source
            found += [(method, _pattern(pattern, macros)) for method, pattern in rows]
    return found
