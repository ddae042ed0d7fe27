"""The error that users can mend."""

from strandwise.errors import InputError


def test_one_problem_is_one_line() -> None:
    assert str(InputError("a.csv: row 2: what")) == "a.csv: row 2: what"


def test_several_problems_are_counted_and_listed() -> None:
    assert str(InputError("one", "two")) == "2 problems\n  one\n  two"
    assert InputError("one", "two").problems == ["one", "two"]
