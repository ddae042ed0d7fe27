"""Features, likelihoods and read rows against a slow, obvious encoder that starts from single reads and haplotypes."""

import itertools
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import strandwise_core
from made_reads import MadeRead, random_bases, write_alignment, write_fasta
from strandwise_core import FEATURES

ROWS = 12
CLEAR = 5
EVENT_COST = 12


def sample(rng: random.Random) -> tuple[str, list[MadeRead]]:
    """A reference with repeats and two haplotypes of SNVs, indels and both alleles at one place; reads of 36, 100 and
    300 bases with wrong bases, soft clips, low mapping qualities and mates that overlap."""
    reference = random_bases(700, rng) + "CA" * 9 + random_bases(500, rng) + "T" * 12 + random_bases(900, rng)
    changes = [[], []]
    for place in range(350, 1700, 37):
        kind = rng.choice(("snv", "snv", "insertion", "deletion", "both"))
        for number in (0, 1) if kind == "both" or rng.random() < 0.4 else (rng.randrange(2),):
            if kind == "snv":
                changes[number].append((place, 1, rng.choice("ACGT".replace(reference[place], ""))))
            elif kind == "insertion":
                changes[number].append((place, 0, random_bases(rng.randrange(1, 9), rng)))
            else:
                changes[number].append((place, 1 + rng.randrange(4) + 4 * number * (kind == "both"), ""))
    reads = []
    for number in range(900):
        length = rng.choice((36, 100, 100, 300))
        start = rng.randrange(0, len(reference) - 2 * length)
        at, bases, cigar = start, "", []
        for place, replaced, text in [*changes[number % 2], (len(reference), 0, "")]:
            if place <= at:
                continue
            block = min(place - at, length - len(bases))
            bases, cigar, at = bases + reference[at : at + block], [*cigar, (block, "M")], at + block
            if len(bases) + len(text) + 8 >= length:
                break
            if replaced != 1 or text == "":
                cigar.append((len(text), "I") if text else (replaced, "D"))
            else:
                cigar.append((1, "M"))
            bases, at = bases + text, at + replaced
        rest = length - len(bases)
        bases, cigar = bases + reference[at : at + rest], [*cigar, (rest, "M")]
        cigar = [(size, op) for size, op in cigar if size]
        text = [rng.choice("ACGTN") if rng.random() < 0.01 else base for base in bases]
        if rng.random() < 0.1:
            clip = min(7, cigar[0][0] - 1)
            start, cigar = start + clip, [(clip, "S"), (cigar[0][0] - clip, "M"), *cigar[1:]]
        merged = [(sum(size for size, _ in group), op) for op, group in grouped(cigar)]
        qualities = [rng.randrange(2, 42) for _ in text]
        name = f"n{number - number % 8 // 4 * 4 if number % 8 in (0, 4) else number}"  # every eighth molecule twice
        flag = rng.choice((0, 16)) | (1 | rng.choice((0, 2)) if rng.random() < 0.5 else 0)
        quality = rng.choice((3, 20, 60, 60))
        reads.append(
            MadeRead(start, "".join(text), "".join(f"{n}{op}" for n, op in merged), name, qualities, flag, quality)
        )
    return reference, reads


def grouped(cigar: list[tuple[int, str]]) -> list[tuple[str, list[tuple[int, str]]]]:
    return [(op, list(items)) for op, items in itertools.groupby(cigar, key=lambda item: item[1])]


def located(read: dict, position: int) -> tuple[int | None, bool]:
    """Query index of the base aligned to `position`, and whether the read spans the position."""
    at, query = read["position"], read["left_clip"]
    for op, size in read["cigar"]:
        if op == 0 and at <= position < at + size:
            return query + position - at, True
        at, query = at + (size if op != 1 else 0), query + (size if op in (0, 1) else 0)
    return None, read["position"] <= position < read["end"]


class Slow:
    """What the encoder must say of event `i`."""

    def __init__(self, found: dict, i: int, reference: str):
        trace = found["traces"][i]
        self.position, self.kind = int(found["position"][i]), int(found["kind"][i])
        self.k, self.carried, self.costs = trace["event"], trace["carried"], trace["costs"]
        self.window = trace["events"]
        carries = [bool(events >> self.k & 1) for events in self.carried]
        self.groups: dict[str, list[dict]] = {"for": [], "reference": [], "other": [], "unsure": []}
        anchor = self.position - (self.kind != 0)
        here = [
            j
            for j, event in enumerate(self.window)
            if j != self.k and event[0] == self.position and (event[1] == 0) == (self.kind == 0)
        ]
        for costs, index in zip(self.costs, trace["reads"], strict=True):
            read = found["used_reads"][index]
            least = [
                min([c for c, yes in zip(costs, carries, strict=True) if yes is which], default=100_000)
                for which in (True, False)
            ]
            evidence = int(least[1] - least[0])
            query, inside = located(read, anchor)
            quality = int(read["qualities"][query]) if query is not None else 0
            if evidence == 0 and (not inside or quality == 0):
                continue
            length = len(read["bases"])
            if query is None:
                query = (
                    length // 2
                    if inside
                    else read["left_clip"]
                    if anchor < read["position"]
                    else length - 1 - read["right_clip"]
                )
            best = self.carried[int(np.argmin(costs))]
            if evidence >= CLEAR:
                group = "for"
            elif evidence <= -CLEAR:
                group = "other" if any(best >> j & 1 for j in here) else "reference"
            else:
                group = "unsure"
            distance = min(query, length - 1 - query, 60)
            self.groups[group].append(
                {"read": read, "index": int(index), "evidence": evidence, "quality": quality, "distance": distance}
            )
        self.all = [item for items in self.groups.values() for item in items]
        self.reference = reference

    def likelihoods(self) -> list[float]:
        best = {0: math.inf, 1: math.inf, 2: math.inf}
        for a, b in itertools.combinations_with_replacement(range(len(self.carried)), 2):
            copies = (self.carried[a] >> self.k & 1) + (self.carried[b] >> self.k & 1)
            others = sum(bin(self.carried[h] & ~(1 << self.k)).count("1") for h in (a, b))
            cost = EVENT_COST * others
            for costs in self.costs:
                cost -= 10 * math.log10((10 ** (-costs[a] / 10) + 10 ** (-costs[b] / 10)) / 2)
            best[copies] = min(best[copies], cost)
        return [min(best[c] - min(best.values()), 1000.0) for c in range(3)]

    def features(self, events: list[tuple[int, int]]) -> dict[str, float]:
        def mean(values: list[float]) -> float:
            return sum(values) / len(values) if values else 0.0

        alt, ref = self.groups["for"], self.groups["reference"]
        forward = {
            name: mean([not item["read"]["reverse"] for item in items])
            for name, items in (("for", alt), ("reference", ref), ("all", self.all))
        }
        starts = {
            (item["read"]["end"] if item["read"]["reverse"] else item["read"]["position"], item["read"]["reverse"])
            for item in alt
        }
        others = [abs(place - self.position) for place, _ in events]
        others.remove(0)
        near = self.reference[max(0, self.position - 20) : self.position + 21]
        return {
            "reads_for": len(alt),
            "reads_reference": len(ref),
            "reads_other_allele": len(self.groups["other"]),
            "reads_unsure": len(self.groups["unsure"]),
            "fraction_for": len(alt) / max(1, len(alt) + len(ref) + len(self.groups["other"])),
            "forward_for": forward["for"],
            "forward_reference": forward["reference"],
            "strand_bias": (forward["for"] - forward["all"]) ** 2 * len(alt),
            "evidence_for_mean": mean([item["evidence"] for item in alt]),
            "evidence_for_most": max([item["evidence"] for item in alt], default=0),
            "evidence_for_sum": sum(item["evidence"] for item in alt),
            "evidence_reference_mean": mean([-item["evidence"] for item in ref]),
            "quality_for_mean": mean([item["quality"] for item in alt]),
            "quality_for_most": max([item["quality"] for item in alt], default=0),
            "quality_reference_mean": mean([item["quality"] for item in ref]),
            "quality_mean": mean([item["quality"] for item in self.all]),
            "mapping_for": mean([item["read"]["mapping_quality"] for item in alt]),
            "mapping_reference": mean([item["read"]["mapping_quality"] for item in ref]),
            "end_distance_for": mean([item["distance"] for item in alt]),
            "end_distance_reference": mean([item["distance"] for item in ref]),
            "end_distance_for_most": max([item["distance"] for item in alt], default=0),
            "clipped_for": mean([item["read"]["left_clip"] + item["read"]["right_clip"] > 4 for item in alt]),
            "clipped_reference": mean([item["read"]["left_clip"] + item["read"]["right_clip"] > 4 for item in ref]),
            "proper_for": mean([item["read"]["proper"] for item in alt]),
            "starts_for": len(starts),
            "depth": len(self.all),
            "read_length": mean([len(item["read"]["bases"]) for item in self.all]),
            "haplotypes": len(self.carried),
            "events_within_20": sum(apart <= 20 for apart in others),
            "events_within_100": sum(apart <= 100 for apart in others),
            "nearest_event": min([*others, 100]),
            "gc": sum(base in "GC" for base in near) / 41,
            "is_snv": self.kind == 0,
            "is_insertion": self.kind == 1,
            "is_deletion": self.kind == 2,
        }


def byte(value: float) -> int:
    return int(min(255, max(0, value)) + 0.5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("realign", [True, False])
def test_encoder_equals_the_slow_one(tmp_path: Path, seed: int, realign: bool) -> None:
    reference, reads = sample(random.Random(seed))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "a.bam", "c", len(reference), reads)
    alignments = strandwise_core.Alignments([bam], fasta)
    found = alignments.evidence("c", 0, len(reference), reference.encode(), rows=ROWS, details=True, realign=realign)
    events = list(zip(found["position"].tolist(), found["kind"].tolist(), strict=True))
    assert len(events) > 45
    assert {kind for _, kind in events} == {0, 1, 2}
    for i in range(len(events)):
        slow = Slow(found, i, reference)
        n = len(slow.costs)
        got = dict(zip(FEATURES, found["features"][i].tolist(), strict=True))
        # costs are whole phred, sums of 1/256: at most half a phred each way for a whole pile
        assert found["likelihoods"][i] == pytest.approx(slow.likelihoods(), abs=0.02 * n + 0.01)
        for name, value in slow.features(events).items():
            assert got[name] == pytest.approx(float(value), rel=1e-5, abs=1e-5), name
        assert found["counts"][i].tolist() == [
            len(slow.groups["reference"]),
            len(slow.groups["for"]),
            len(slow.groups["other"]) + len(slow.groups["unsure"]),
        ]
        shown = found["read_rows"][i]
        by_evidence = sorted(slow.all, key=lambda item: (-item["evidence"], item["index"]))
        chosen = [
            by_evidence[j * len(by_evidence) // min(ROWS, len(by_evidence))] for j in range(min(ROWS, len(by_evidence)))
        ]
        assert found["row_reads"][i].tolist() == [item["index"] for item in chosen] + [-1] * (ROWS - len(chosen))
        for row, item in zip(shown, chosen, strict=False):
            read = item["read"]
            assert row[0] == 255
            assert row[1] == byte(128 + 2.5 * max(-50, min(50, item["evidence"])))
            assert row[2] == byte(item["quality"] * 5)
            assert row[3] == byte(read["mapping_quality"] * 4)
            assert row[4] == 255 * read["reverse"]
            assert row[5] == byte(item["distance"] * 4)
            assert row[7] == byte((read["left_clip"] + read["right_clip"]) * 5)
            assert row[8] == 255 * read["proper"]
            assert row[9] == byte(len(read["bases"]) * 0.8)
        assert not shown[len(chosen) :].any()


def test_qualities_beyond_what_networks_learned_from_mean_no_more_than_the_most_of_those(tmp_path: Path) -> None:
    """Mapping qualities of 70, 250 or 255 count as 60, base qualities of 93 as 45."""
    reference, reads = sample(random.Random(9))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    rng = random.Random(10)
    found = []
    for mapping, base in ((lambda: 60, 45), (lambda: rng.choice((70, 250, 255)), 93)):
        changed = [
            replace(
                read,
                qualities=[base if quality > 30 else quality for quality in read.quality_list],
                mapping_quality=mapping() if read.mapping_quality == 60 else read.mapping_quality,
            )
            for read in reads
        ]
        bam = write_alignment(tmp_path / f"{base}.bam", "c", len(reference), changed)
        found.append(
            strandwise_core.Alignments([bam], fasta).evidence("c", 0, len(reference), reference.encode(), rows=ROWS)
        )
    assert len(found[0]["record"]) > 45
    for name in ("position", "features", "likelihoods", "read_rows"):
        assert np.array_equal(found[0][name], found[1][name]), name
