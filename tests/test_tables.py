"""A user's own table."""

import pytest

from micrograd_nn import tables
from micrograd_nn.data import DataError


def test_a_table_is_read_with_its_names(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('a;b;kind\n1;2.5;"x"\n-3;4e1;y\n\n0;0;x\n')
    table = tables.read_table(file, "kind")
    assert table.features == ("a", "b")
    assert table.classes == ("x", "y")
    assert table.X.tolist() == [[1, 2.5], [-3, 40], [0, 0]]
    assert table.y.tolist() == [0, 1, 0]


def test_numeric_classes_are_in_the_order_of_numbers(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,k\n1,10\n2,9\n3,10\n")
    assert tables.read_table(file, "k").classes == ("9", "10")


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("a,k\n1,0\n2,1\n", "missing", "no column 'missing'; its columns are 'a', 'k'"),
        ("a,k\n1,0\nfoo,1\n", "k", "row 3, column 'a': 'foo' is not a number"),
        ("a,k\n1,0\n,1\n", "k", "row 3, column 'a': the number is missing"),
        ("a,k\n1,0\nnan,1\n", "k", "row 3, column 'a': nan"),
        ("a,k\n1,0\ninf,1\n", "k", "row 3, column 'a': inf"),
        ("a,k\n1,0\n2,0\n", "k", "every row has '0'"),
        ("a,k\n1,0\n2,\n", "k", "row 3, column 'k': the class is missing"),
        ("a,k\n1,0\n2\n", "k", "row 3: 1 cells, and the header has 2"),
        ("a,a,k\n1,2,0\n1,2,1\n", "k", "more than one column named 'a'"),
        ("k\n0\n1\n", "k", "nothing to learn it from"),
        ("a,k\n1,0\n", "k", "at least two rows"),
        ("", "k", "needs a header"),
        ("a,k\n" + "".join(f"1,{i / 7}\n" for i in range(200)), "k", "looks like a measurement"),
        ("a,k\n1,nan\n1,1\n", "k", "holds NaN"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused_by_place(tmp_path, text, target, message):
    file = tmp_path / "t.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        tables.read_table(file, target)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="UTF-8"):
        tables.read_table(tmp_path / "t.csv", "k")
    with pytest.raises(DataError, match="folder"):
        tables.read_table(tmp_path, "k")
    with pytest.raises(DataError, match="no file"):
        tables.read_table(tmp_path / "none.csv", "k")


def test_numbers_written_in_two_ways_are_one_class(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,k\n1,1.0\n2,2\n3,1\n")
    table = tables.read_table(file, "k")
    assert table.classes == ("1", "2")
    assert table.y.tolist() == [0, 1, 0]


def test_semicolons_are_found_below_a_blank_line_and_beside_quoted_commas(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('\n"x, cm";k\n1;a\n2;b\n')
    assert tables.read_table(file, "k").features == ("x, cm",)
