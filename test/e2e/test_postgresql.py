"""The store's schema and SQL on PostgreSQL: the tables are those of SQLite, and it takes every text
that the nouns have."""

import glob
import os
import re
import sqlite3
import subprocess

import pytest

from harness.postgres import Postgres

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TYPES = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}


def schema(engine):
    for path in sorted(glob.glob(f"{ROOT}/schema/{engine}/*.sql")):
        with open(path, encoding="utf-8") as file:
            yield file.read()


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    try:
        for text in schema("postgresql"):
            server.psql(text)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def sqlite():
    database = sqlite3.connect(":memory:")
    database.create_function("fold", 1, str.lower)  # the program's own
    for text in schema("sqlite"):
        database.executescript(text)
    return database


# ---- the tables ----

def sqlite_tables(database):
    return [name for name, in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]


def test_both_engines_have_the_same_columns(sqlite, postgres):
    """Names, types, what may be NULL, and what it is when it is not given."""
    wanted = {(table, name, TYPES[kind], bool(needed) or key > 0, default)
              for table in sqlite_tables(sqlite)
              for _, name, kind, needed, default, key in sqlite.execute(f"PRAGMA table_info({table})")}
    had = {(table, name, kind, nullable == "NO", re.sub("::text$", "", default) or None)
           for table, name, kind, nullable, default in postgres.rows(
               "SELECT table_name, column_name, data_type, is_nullable, column_default "
               "FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT IN "
               "(SELECT relname FROM pg_class WHERE relispartition)")}
    assert wanted == had


def sqlite_indexes(database):
    """(table, columns, unique, partial) of those that were asked for, and of keys of several columns.
    The id at an index's end is SQLite's own doing."""
    for table in sqlite_tables(database):
        for _, name, unique, origin, partial in database.execute(f"PRAGMA index_list({table})"):
            columns = [column or "lower(email)" for _, _, column in
                       database.execute(f"PRAGMA index_info({name})")]
            if (table, columns) != ("person", ["email"]):  # lower(email) holds more
                yield table, tuple(columns), bool(unique), bool(partial)


def test_both_engines_have_the_same_indexes(sqlite, postgres):
    had = set()
    for definition, unique, partial, in postgres.rows(
            "SELECT pg_get_indexdef(indexrelid), indisunique, indpred IS NOT NULL FROM pg_index "
            "JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace "
            "AND NOT relispartition"):
        table, columns = re.search(r"ON (?:ONLY )?public\.(\w+) USING btree \((.*?)\)(?: WHERE|$)",
                                   definition).groups()
        had.add((table, tuple(name.strip('"') for name in columns.split(", ")), unique == "t",
                 partial == "t"))
    wanted = set(sqlite_indexes(sqlite))
    keys = {index for index in had if index[1] in (("id",), ("event",), ("number",),
                                                   ("notification",), ("account",), ("part",), ("one",),
                                                   ("node",), ("inquiry",), ("person",)) and index[2]}
    missing = [index for index in wanted if index not in had and
               (index[0], index[1] + ("id",), *index[2:]) not in had and
               (index[0], index[1] + ("event",), *index[2:]) not in had]
    more = [index for index in had - keys if index not in wanted and
            (index[0], index[1][:-1], *index[2:]) not in wanted]
    assert (missing, more) == ([], [])


# ---- the texts ----

STRING = r'"(?:[^"\\\n]|\\.)*"'
STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH) ")


def texts_of(path):
    """The string literals of a file that are SQL, after the preprocessor, each put together; what
    where_prepare() groups by stands apart from it."""
    flags = subprocess.run(["pkg-config", "--cflags", "jansson", "libuv", "libsodium"],
                           stdout=subprocess.PIPE, text=True).stdout.split()
    source = subprocess.run(["cc", "-E", "-P", "-std=gnu11", "-D_GNU_SOURCE", f"-I{ROOT}/src",
                             *flags, path], stdout=subprocess.PIPE, text=True, check=True).stdout
    source = re.sub(r' ",\s*"GROUP BY', " GROUP BY", source)
    for literals in re.findall(rf"{STRING}(?:\s*{STRING})*", source):
        text = "".join(literal[1:-1] for literal in re.findall(STRING, literals))
        text = re.sub(r'\\(["\\])', r"\1", text)
        if STATEMENT.match(text):
            yield text


def dollars(text):
    """As src/db/postgres_sql.c does it."""
    highest = 0

    def number(found):
        nonlocal highest
        if found.group(1) is None:
            return found.group(0)
        this = int(found.group(2) or highest + 1)
        highest = max(highest, this)
        return f"${this}"
    return re.sub(r"'[^']*'|\"[^\"]*\"|(\?(\d*))", number, text)


def test_postgresql_takes_every_text_of_the_nouns(postgres):
    texts = sorted({text for path in glob.glob(f"{ROOT}/src/store/*.c") for text in texts_of(path)})
    assert len(texts) > 200
    asked = "".join(f"\\echo @{at}\nPREPARE s{at} AS {dollars(text)};\n"
                    for at, text in enumerate(texts))
    refused, at = {}, 0
    for line in postgres.psql(asked, stop=False).splitlines():
        if line.startswith("@"):
            at = int(line[1:])
        elif "ERROR" in line:
            refused[texts[at]] = line
    assert refused == {}
