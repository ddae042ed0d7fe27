"""Explained calls in the report: what became of each place, links to the pictures, nothing where nothing was explained."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from built_report import Built
from report_inputs import add_small_variants

from strandwise.formats.tables import write_rows
from strandwise.small_variants.tables import EXPLAINED_SITE

HOSTILE = '<img src=x onerror="alert(1)">'


def row(position: int, **more: object) -> dict[str, object]:
    standard = {
        "sample": "S1",
        "contig": "chr20",
        "position": position,
        "reference": "A",
        "alternate": "T",
        "depth": 31,
    }
    return (
        standard | {"decision": "called", "step": "both networks", "cause": "1 copy", "reason": "12 of 31 reads"} | more
    )


def fill(folder: Path) -> None:
    add_small_variants(folder, {"S1": "S1", "S2": "S2"})
    rows = [
        row(
            1234567,
            reason="12 of 31 reads; for 1 copy: depth (+3.0)",
            genotype="0/1",
            gq=9,
            filter="PASS",
            picture="a.png",
            attributions="a.tsv",
        ),
        row(500, decision="not looked at", step="intervals", cause="outside", alternate=".", reason=HOSTILE),
    ]
    write_rows(EXPLAINED_SITE, rows, "m 1", folder / "S1.explained.tsv")
    many = [row(at + 1, reference="A" * 30, picture=f"{at}.png") for at in range(130)]
    write_rows(EXPLAINED_SITE, many, "m 1", folder / "S2.explained.tsv")


@pytest.fixture(scope="module")
def built(reports: Callable[..., Built]) -> Built:
    return reports(fill)


def cells(built: Built) -> list[list[str]]:
    content = built.page.split('id="sw-explained"')[1].split("</table>")[0].split("<tbody>")[1]
    return [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in re.findall(r"<tr>(.*?)</tr>", content)]


def plain(cell: str) -> str:
    return re.sub("<[^>]*>", " ", cell).strip()


def test_a_call_links_to_its_picture_and_numbers(built: Built) -> None:
    first = cells(built)[0]
    assert first[1] == (
        '<a href="small_variants/S1/explain/a.png">chr20:1,234,567</a>'
        '<br><a href="small_variants/S1/explain/a.tsv">attributions</a>'
    )
    assert [plain(cell).split() for cell in first[2:6]] == [["A&gt;T"], ["called", "both", "networks"], ["0/1"], ["9"]]
    assert first[6].endswith("12 of 31 reads<br><small>for 1 copy: depth (+3.0)</small></span>")


def test_a_place_that_was_not_called_says_why_and_links_to_nothing(built: Built) -> None:
    second = cells(built)[1]
    assert second[1] == "chr20:500" and plain(second[3]).split() == ["not", "looked", "at", "intervals:", "outside"]
    assert HOSTILE not in built.page and "&lt;img src=x onerror=" in second[6]


def test_the_table_stays_short_and_the_lists_are_linked(built: Built) -> None:
    assert len(cells(built)) == 100
    assert "32 more stand in the lists" in built.page
    assert '<a href="small_variants/S2/explain/sites.tsv">S2</a>' in built.page
    assert "AAAAAA… (30)&gt;T" in cells(built)[2][2]


def test_the_method_is_cited_where_it_ran(built: Built, reports: Callable[..., Built]) -> None:
    assert "Axiomatic attribution for deep networks" in built.page
    plain = reports(lambda folder: add_small_variants(folder, {"S1": "S1"}))
    assert "Axiomatic attribution" not in plain.page and "sw-explained" not in plain.page
