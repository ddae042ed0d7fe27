"""Pedigrees: what is read, and every problem with its row and remedy."""

from pathlib import Path

import pytest

from strandwise.errors import InputError
from strandwise.formats.pedigree import Person, pedigree_problems, read_pedigree


def read(folder: Path, text: str) -> list[Person]:
    path = folder / "f.ped"
    path.write_text(text)
    return read_pedigree(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        read(folder, text)
    return error.value.problems


def test_a_trio(tmp_path: Path) -> None:
    assert read(
        tmp_path, "#family id father mother sex phenotype\nF\tc\td\tm\t1\t2\nF\td\t0\t0\t1\t1\n\nF\tm\t0\t0\t2\t-9\n"
    ) == [
        Person("F", "c", "d", "m", "XY", 2),
        Person("F", "d", None, None, "XY", 3),
        Person("F", "m", None, None, "XX", 5),
    ]


def test_blanks_between_columns_and_unknown_sex(tmp_path: Path) -> None:
    assert read(tmp_path, "F c  d  0 other 0\n") == [Person("F", "c", "d", None, "NA", 1)]


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = "F a b c 1\nF x d d 1 0\nF y m d 1 0\nF d 0 0 1 0\nF m 0 0 2 0\nF m 0 0 2 0\n"
    assert problems(tmp_path, text) == [
        "f.ped: row 1: 5 columns, 6 needed: family, individual, father, mother, sex, phenotype; unknown parents are 0",
        "f.ped: row 6: m stands in row 5 already; one row per person",
        "f.ped: row 2: d is father and mother of x; correct one of them",
        "f.ped: row 3: m is the father of y and has sex XX in row 5; sex is 1 for male and 2 for female",
        "f.ped: row 3: d is the mother of y and has sex XY in row 4; sex is 1 for male and 2 for female",
    ]


def test_loops(tmp_path: Path) -> None:
    assert problems(tmp_path, "F a b 0 1 0\nF b c 0 1 0\nF c a 0 1 0\nF d a 0 1 0\n") == [
        "f.ped: row 1: a is an ancestor of himself or herself (a <- b <- c <- a); correct the parents",
        "f.ped: row 2: b is an ancestor of himself or herself (b <- c <- a <- b); correct the parents",
        "f.ped: row 3: c is an ancestor of himself or herself (c <- a <- b <- c); correct the parents",
    ]


def test_cousins_who_marry_are_no_loop(tmp_path: Path) -> None:
    assert len(read(tmp_path, "F c p q 1 0\nF p g 0 1 0\nF q g 0 2 0\nF g 0 0 1 0\n")) == 4


def test_nobody(tmp_path: Path) -> None:
    assert problems(tmp_path, "# nothing\n") == [
        "f.ped: holds nobody; one row per person is needed: family, individual, father, mother, sex, phenotype"
    ]


def test_against_the_samples(tmp_path: Path) -> None:
    persons = read(tmp_path, "F c d m 1 0\nF e 0 0 2 0\nF x 0 f 0 0\n")
    assert pedigree_problems("f.ped", persons, {"c": "XX", "d": "XX", "e": "NA", "f": "XX"}) == [
        "f.ped: row 1: mother m is no sample of the sheet; write 0 for a parent without data",
        "f.ped: row 1: c has sex XY here and XX in the sheet; correct one",
        "f.ped: row 3: x is no sample of the sheet; take the row out or correct the name",
        "f.ped: row 1: father d has sex XX in the sheet; correct one",
    ]
