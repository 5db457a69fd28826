"""Tables: delimiter, header and columns are told by the content."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.errors import DataFileError
from pruning.intake.table import Roles, Table, guess_roles, read_table

cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=20)
rows = st.lists(st.tuples(cell, st.sampled_from(["good", "bad"])), min_size=1, max_size=20)


@given(rows, st.sampled_from([",", "\t", ";", "|"]))
def test_what_the_csv_module_writes_is_read_back(
    written: list[tuple[str, str]], delimiter: str
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerows([("text", "label"), *written])
    table = read_table("t.csv", stream.getvalue().encode(), delimiter=delimiter)
    assert table.columns == ("text", "label")
    assert [tuple(row) for row in table.rows] == written


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_told(delimiter: str) -> None:
    lines = ["id|text|label", "1|well, good, really|pos", "2|bad, very bad, so bad|neg"]
    content = "\n".join(line.replace("|", delimiter) for line in lines)
    if delimiter == ",":
        content = 'id,text,label\n1,"well, good, really",pos\n2,"bad, very bad, so bad",neg'
    table = read_table("t", content.encode())
    assert table.delimiter == delimiter
    assert table.column("text") == ["well, good, really", "bad, very bad, so bad"]


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("sentence,verdict\nso good,yes\nso bad,no\n", True),
        ("so good,yes\nso bad,no\nfine,yes\n", False),
        ("1,so good\n2,so bad\n", False),
        ("Review,Label\n5,x\n", True),
        ("a,a\nb,c\n", False),
    ],
)
def test_the_header_is_told(content: str, header: bool) -> None:
    table = read_table("t.csv", content.encode())
    assert table.header is header
    assert (table.columns[0] == "column 1") is not header


def test_the_user_overrules_the_header() -> None:
    table = read_table("t.csv", b"good,yes\nbad,no\ngood,yes\n", header=True)
    assert (table.columns, len(table.rows)) == (("good", "yes"), 2)


def guessed(columns: str, *lines: str) -> Roles:
    rows = [line.split(",") for line in lines]
    return guess_roles(Table(tuple(columns.split(",")), rows, ",", True))


def test_columns_are_guessed_by_name() -> None:
    assert guessed("id,Review,Sentiment,Split", "1,ok,pos,train", "2,no,neg,test") == Roles(
        "Review", "Sentiment", "Split"
    )


def test_columns_are_guessed_by_content() -> None:
    lines = [f"{i},a rather long text {i},{'ja' if i % 2 else 'nein'}" for i in range(20)]
    assert guessed("a,b,c", *lines) == Roles("b", "c", None)


def test_a_column_named_split_with_other_values_is_none() -> None:
    assert guessed("text,label,split", "a,x,left", "b,y,right").split is None


def test_rows_of_odd_lengths() -> None:
    good = [f"text {i},label" for i in range(199)]
    table = read_table("t.csv", "\n".join(["text,label", *good, "one,too,many"]).encode())
    assert len(table.rows) == 199
    assert table.notes == ("1 rows without 2 cells were left out: rows 200.",)
    said = r"2 of 4 rows of t\.csv do not have 2 cells: rows 3, 4"
    with pytest.raises(DataFileError, match=said):
        read_table("t.csv", b"text,label\na,b\nc,d\ne,f,g\nh,i,j\n", delimiter=",")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\n\n \n", "no rows"),
        (b"just\nsome\nlines\n", "only one column"),
        (b"PK\x03\x04\x00\x00", "zero bytes"),
    ],
)
def test_tables_that_cannot_be_used(content: bytes, words: str) -> None:
    with pytest.raises(DataFileError, match=words):
        read_table("t.csv", content)


def test_a_missing_column_lists_those_there_are() -> None:
    table = read_table("t.csv", b"text,label\na,b\nc,d\n")
    with pytest.raises(DataFileError, match="no column 'stars'") as caught:
        table.column("stars")
    assert "text, label" in caught.value.expected
