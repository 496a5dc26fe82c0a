"""A user's own table."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn.data import DataError, read_table


@pytest.fixture
def table(tmp_path):
    """Writes the text to a file, and gives its path."""

    def written(text):
        file = tmp_path / "t.csv"
        file.write_text(text)
        return file

    return written


def test_a_table_is_read_with_its_names(table):
    found = read_table(table('a;b;kind\n1;2.5;"x"\n-3;4e1;y\n\n0;0;x\n'), "kind")
    assert found.features == ("a", "b")
    assert found.classes == ("x", "y")
    assert found.X.tolist() == [[1, 2.5], [-3, 40], [0, 0]]
    assert found.y.tolist() == [0, 1, 0]


def test_numeric_classes_are_in_the_order_of_numbers(table):
    assert read_table(table("a,k\n1,10\n2,9\n3,10\n"), "k").classes == ("9", "10")


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("a,k\n1,0\n2,1\n", "missing", "no column 'missing'; its columns are 'a', 'k'"),
        ("a,k\n1,0\n2,1\n", None, "name the target.*its columns are 'a', 'k'"),
        ("a,k\n1,0\nfoo,1\n", "k", "row 3, column 'a': 'foo' is not a number"),
        ("a,k\n1,0\n,1\n", "k", "row 3, column 'a': the number is missing"),
        ("a,k\n1,0\nnan,1\n", "k", "row 3, column 'a': nan"),
        ("a,k\n1,0\ninf,1\n", "k", "row 3, column 'a': inf"),
        ("a,k\n1,0\n2,0\n", "k", "every row has '0'"),
        ("a,k\n1,0\n2,\n", "k", "row 3, column 'k': the class is missing"),
        ("a,k\n1,0\n2\n", "k", "row 3: 1 cells, and the header has 2"),
        ("a,a,k\n1,2,0\n1,2,1\n", "k", "more than one column named 'a'"),
        ("a,k,k\n1,2,0\n1,2,1\n", "k", "more than one column named 'k'"),
        ("k\n0\n1\n", "k", "nothing to learn it from"),
        ("a,k\n1,0\n", "k", "at least two rows"),
        ("", "k", "needs a header"),
        ("a,k\n" + "".join(f"1,{i / 7}\n" for i in range(200)), "k", "looks like a measurement"),
        ("a,k\n1,nan\n1,1\n", "k", "holds NaN"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused_by_place(table, text, target, message):
    with pytest.raises(DataError, match=message):
        read_table(table(text), target)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="UTF-8"):
        read_table(tmp_path / "t.csv", "k")
    with pytest.raises(DataError, match="folder"):
        read_table(tmp_path, "k")
    with pytest.raises(DataError, match="no file"):
        read_table(tmp_path / "none.csv", "k")


def test_numbers_written_in_two_ways_are_one_class(table):
    found = read_table(table("a,k\n1,1.0\n2,2\n3,1\n"), "k")
    assert found.classes == ("1", "2")
    assert found.y.tolist() == [0, 1, 0]


def test_what_is_a_number_to_python_alone_is_a_name(table):
    assert read_table(table("a,k\n1,1_0\n2,10\n"), "k").classes == ("10", "1_0")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('\n"x, cm";k\n1;a\n2;b\n', "x, cm"),  # below a blank line, beside quoted commas
        ('k;"x, cm"\na;1\nb;2\n', "x, cm"),
        ('"x;\ncm",k\n1,a\n2,b\n', "x;\ncm"),  # a header of two lines
        ('6" pipe;k\n1;a\n2;"b"\n', '6" pipe'),  # a quotation mark that quotes nothing
        ('x "a;b",k\n1,a\n2,b\n', 'x "a;b"'),
        ("x\tk\n1\ta\n2\tb\n", "x"),
    ],
)
def test_what_parts_the_cells_is_seen_in_the_header(table, text, name):
    assert read_table(table(text), "k").features == (name,)


ROWS = "".join(f"{i},{'xy'[i % 2]}\n" for i in range(20_000))


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,k\n1,x\n"2,y\n3,x\n4,y\n', 3),
        ('a,k\n1,x\n2,"y\n', 3),
        ('a,k\n\n\n1,x\n"2,y\n3,x\n', 5),
        ('"a,k\n1,x\n2,y\n', 1),
        ('a,k\n1,x\n"2,y\n3,"x"\n4,y\n', 3),  # a later pair of quotes opens what should close
        (f'a,k\n1,x\n"2,y\n{ROWS}', 3),  # too long for one cell
        ('a,k\n1,x\n2,"he said "y""\n', 3),
        ('a,k\n"1",x\n"2\n2",y\n3,"x\n', 5),  # a cell of two lines before it
    ],
)
def test_a_quote_that_is_never_closed_is_reported_where_it_opens(table, text, row):
    with pytest.raises(DataError, match=f"t.csv, row {row}: .*quotation mark opened there"):
        read_table(table(text), "k")


def test_a_row_of_several_lines_is_reported_by_its_first(table):
    with pytest.raises(DataError, match="row 3, column 'a': 'no' is not a number"):
        read_table(table('a,k\n1,x\nno,"a long\nclass\nname"\n2,y\n'), "k")


def test_new_data_are_matched_by_name(table):
    first = read_table(table("a,b,kind\n1,2,y\n3,4,x\n5,6,z\n"), "kind")
    path = table("note,kind,b,a\nhello,z,20,10\n,x,40,30\n")
    new = read_table(path, "kind", features=first.features, classes=first.classes)
    assert new.X.tolist() == [[10, 20], [30, 40]]
    assert new.y.tolist() == [2, 0]
    assert new.features == ("a", "b")
    assert new.classes == ("x", "y", "z")


def test_new_data_may_be_one_row_of_one_class_and_may_lack_the_target(table):
    new = read_table(table("a,k\n1,y\n"), "k", features=["a"], classes=["x", "y"])
    assert (new.X.tolist(), new.y.tolist()) == ([[1]], [1])
    for target in ("k", None):
        new = read_table(table("b,a\n1,2\n"), target, features=["a"], classes=["x", "y"])
        assert (new.X.tolist(), new.y) == ([[2]], None)
        assert new.classes == ("x", "y")


def test_classes_of_new_data_are_numbers_where_the_learned_ones_are(table):
    path = table("a,k\n1,2.0\n2,01\n")
    assert read_table(path, "k", features=["a"], classes=["1", "2"]).y.tolist() == [1, 0]
    with pytest.raises(DataError, match=r"row 2, column 'k': '2\.0' is none of the classes"):
        read_table(path, "k", features=["a"], classes=["1", "2", "other"])


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,k\n1,x\n", {"features": ["a", "b", "c"]}, "lacks the columns 'b', 'c'; its columns are 'a', 'k'"),
        ("a,k\n1,x\n", {"features": ["A"]}, "lacks the column 'A'"),
        ("a,k\n1,x\n\n2,w\n", {}, "row 4, column 'k': 'w' is none of the classes that were learned: 'x', 'y'"),
        ("a,k\n1,\n", {}, "row 2, column 'k': the class is missing"),
        ("a,a,k\n1,1,x\n", {}, "more than one column named 'a'"),
        ("a,k\n", {}, "at least one row"),
        ("a,k\n1,x\n", {"features": ["a", "k"]}, "'k' cannot be the target and a feature"),
    ],
)
def test_new_data_that_do_not_fit_the_model_are_refused(table, text, options, message):
    with pytest.raises(DataError, match=message):
        read_table(table(text), "k", **({"features": ["a"], "classes": ["x", "y"]} | options))


def test_only_some_columns_may_be_learned_from(table):
    path = table("id,id,a,b,k\nr1,q,1,2,x\nr2,q,3,4,y\n")  # what is not asked for is not looked at
    found = read_table(path, "k", features=["b", "a"])
    assert found.X.tolist() == [[2, 1], [4, 3]]
    assert found.classes == ("x", "y")
    with pytest.raises(DataError, match="no column 'kind'"):
        read_table(path, "kind", features=["a"])


names = st.lists(st.text("abc ,;\"'\n", min_size=1).filter(str.strip), min_size=1, max_size=5, unique_by=str.strip)


@given(names, st.randoms(use_true_random=False), st.integers(2, 6))
def test_a_written_table_comes_back_whatever_its_names_and_order(tmp_path_factory, features, shuffler, n):
    import csv

    X = np.arange(n * len(features)).reshape(n, -1) / 8
    columns = [(name, X[:, j].tolist()) for j, name in enumerate(features)]
    columns.append(("target", [f"class {i % 2}" for i in range(n)]))
    shuffler.shuffle(columns)
    path = Path(tmp_path_factory.mktemp("tables")) / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([name for name, _ in columns])
        writer.writerows(zip(*(values for _, values in columns), strict=True))
    wanted = tuple(name.strip() for name in features)
    found = read_table(path, "target", features=wanted)
    assert found.X.tolist() == X.tolist()
    assert found.y.tolist() == [i % 2 for i in range(n)]
