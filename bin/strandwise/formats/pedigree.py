"""Reads pedigrees: the six columns of PED (family, individual, father, mother, sex, phenotype), and finds what is wrong in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strandwise.errors import InputError

SEXES = {"1": "XY", "2": "XX"}
UNKNOWN = ("0", "", ".")
COLUMNS = ("family", "individual", "father", "mother", "sex", "phenotype")


@dataclass(frozen=True)
class Person:
    """One row. father, mother: names, None where not given; sex: XY, XX or NA; row: number of the line."""

    family: str
    name: str
    father: str | None
    mother: str | None
    sex: str
    row: int


def read_pedigree(path: Path) -> list[Person]:
    """Persons in the order of the file. Raises InputError with all problems that parse_pedigree finds."""
    persons, problems = parse_pedigree(path)
    if problems:
        raise InputError(*problems)
    return persons


def parse_pedigree(path: Path) -> tuple[list[Person], list[str]]:
    """Persons in the order of the file, columns between tabs or blanks, lines with # left out; and what is wrong.

    Problems: columns missing, a person twice, a parent of the wrong sex, one person as both parents, loops (somebody who is his
    own ancestor), no person at all.
    """
    persons, problems = [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t") if "\t" in line else line.split()
        cells = [cell.strip() for cell in cells]
        if len(cells) < len(COLUMNS):
            problems.append(
                f"{path.name}: row {number}: {len(cells)} columns, 6 needed: {', '.join(COLUMNS)}; unknown parents are 0"
            )
            continue
        family, name, father, mother, sex = cells[:5]
        parents = [None if cell in UNKNOWN else cell for cell in (father, mother)]
        persons.append(Person(family, name, parents[0], parents[1], SEXES.get(sex, "NA"), number))
    problems += _problems(path.name, persons)
    if not persons and not problems:
        problems.append(f"{path.name}: holds nobody; one row per person is needed: {', '.join(COLUMNS)}")
    return persons, problems


def _problems(file: str, persons: list[Person]) -> list[str]:
    problems = []
    first: dict[str, Person] = {}
    for person in persons:
        where = f"{file}: row {person.row}"
        if person.name in first:
            problems.append(
                f"{where}: {person.name} stands in row {first[person.name].row} already; one row per person"
            )
        first.setdefault(person.name, person)
    for person in persons:
        where = f"{file}: row {person.row}"
        if person.father and person.father == person.mother:
            problems.append(f"{where}: {person.father} is father and mother of {person.name}; correct one of them")
            continue
        for parent, words, wrong in ((person.father, "father", "XX"), (person.mother, "mother", "XY")):
            known = first.get(parent or "")
            if known and known.sex == wrong:
                problems.append(
                    f"{where}: {known.name} is the {words} of {person.name} and has sex {wrong} in row {known.row}; "
                    "sex is 1 for male and 2 for female"
                )
    return problems + [
        f"{file}: row {person.row}: {person.name} is an ancestor of himself or herself ({' <- '.join(loop)}); correct the parents"
        for person in first.values()
        if (loop := _loop(person, first))
    ]


def _loop(person: Person, persons: Mapping[str, Person]) -> list[str]:
    """A way from a person up to the same person; empty where there is none."""
    ways = [[person.name]]
    seen = set()
    while ways:
        way = ways.pop()
        last = persons.get(way[-1])
        for parent in (last.father, last.mother) if last else ():
            if parent == person.name:
                return [*way, parent]
            if parent and parent not in seen:
                seen.add(parent)
                ways.append([*way, parent])
    return []


def pedigree_problems(file: str, persons: list[Person], sexes: Mapping[str, str]) -> list[str]:
    """Compare a pedigree with the samples of the sheet (name → XX, XY or NA): unknown names, sexes that differ."""
    problems = []
    for person in persons:
        for role, name in (("", person.name), ("father ", person.father), ("mother ", person.mother)):
            if name and name not in sexes and (role == "" or name not in {other.name for other in persons}):
                problems.append(
                    f"{file}: row {person.row}: {role}{name} is no sample of the sheet"
                    + ("; write 0 for a parent without data" if role else "; take the row out or correct the name")
                )
        said = sexes.get(person.name, "NA")
        if "NA" not in (said, person.sex) and said != person.sex:
            problems.append(
                f"{file}: row {person.row}: {person.name} has sex {person.sex} here and {said} in the sheet; correct one"
            )
    for role, wrong in (("father", "XX"), ("mother", "XY")):
        for person in persons:
            parent = getattr(person, role)
            if parent and sexes.get(parent) == wrong and all(other.name != parent for other in persons):
                problems.append(f"{file}: row {person.row}: {role} {parent} has sex {wrong} in the sheet; correct one")
    return problems
