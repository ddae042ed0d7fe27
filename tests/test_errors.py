"""The error that users can mend."""

from strandwise.errors import InputError


def test_one_problem_is_one_line() -> None:
    assert str(InputError("a.csv: row 2: what")) == "a.csv: row 2: what"


def test_several_problems_are_counted_and_listed() -> None:
    assert str(InputError("one", "two")) == "2 problems\n  one\n  two"
    assert InputError("one", "two").problems == ["one", "two"]


def test_what_a_binary_file_holds_is_not_printed_as_it_is() -> None:
    assert str(InputError("a.maf: no column x (BAM\x01\x1b[31m, b)")) == "a.maf: no column x (BAM??[31m, b)"
