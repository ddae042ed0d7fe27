"""Brings gVCFs together: at each site the union of their alleles, and for each sample what its reads say of them."""

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval, contig_lengths, some_names
from strandwise.formats.vcf import NON_REFERENCE, QUALITIES, genotype_order
from strandwise.small_variants.joint_genotypes import (
    ARTEFACT_RATE,
    alternate_counts,
    genotype_index,
    genotypes_of,
)
from strandwise.small_variants.priors import genotype_prior

WINDOW = 100_000
"""Bases that are held at a time, of all samples. Results do not depend on it."""

REACH = 2_000
"""Bases beyond a window that are read as well: a deletion of the window reaches into them."""

MOST_ALTERNATES = 6
"""Of a site; of more the most probable stay."""

PHRED_PER_READ = 3.0103
"""A read of another allele against a heterozygote: it halves its chance, 10 log10 2."""

PHRED_PER_ERROR = 30.0
"""A read of another allele against a homozygote: it must be an error, at a rate of 0.001."""

MOST_PHRED = 990.0


class Row:
    """One record of a gVCF, its fields read when they are asked for. start, end: 0-based half-open, what it speaks of."""

    __slots__ = ("__dict__", "columns", "end", "start")

    def __init__(self, line: str):
        self.columns = line.split("\t")
        self.start = int(self.columns[1]) - 1
        end = self.columns[7].partition("END=")[2].partition(";")[0] if self.is_block else ""
        self.end = int(end) if end else self.start + len(self.columns[3])

    @property
    def is_block(self) -> bool:
        return self.columns[4] == NON_REFERENCE

    def parts(self) -> "list[Row]":
        """The records that this one joins, as the caller's VCF has them; itself, where it joins none."""
        told = self.columns[7].partition("PARTS=")[2].partition(";")[0]
        return [self._part(text.split(":")) for text in told.split(",")] if told else [self]

    def _part(self, told: Sequence[str]) -> "Row":
        """A record that this one joins, from its entry in PARTS. Its PL are those of the genotypes without alternates of others."""
        numbers = [0, *map(int, told[0].split("/"))]
        texts = [[self.columns[3], *self.alternates][number] for number in numbers]
        while min(map(len, texts)) > 1 and len({text[-1] for text in texts}) == 1:
            texts = [text[:-1] for text in texts]
        order = genotype_order(len(numbers), len(told[3].split("/")))
        values = [self.likelihoods[_place([numbers[allele] for allele in genotype])] for genotype in order]
        likelihoods = ",".join(str(value - min(values)) for value in values)
        unjudged = [str(own) for own, number in enumerate(numbers) if number in self.reads_only]
        info = f"READS_ONLY={','.join(unjudged)}" if unjudged else "."
        cell = ":".join([*told[3:6], told[6].replace("/", ","), likelihoods])
        columns = [
            *self.columns[:3],
            texts[0],
            ",".join([*texts[1:], NON_REFERENCE]),
            told[1],
            told[2].replace("&", ";"),
        ]
        return Row("\t".join([*columns, info, "GT:GQ:DP:AD:PL", cell]))

    @cached_property
    def fields(self) -> dict[str, str]:
        return dict(zip(self.columns[8].split(":"), self.columns[9].split(":"), strict=False))

    @cached_property
    def alternates(self) -> list[str]:
        """Without <NON_REF>."""
        return [text for text in self.columns[4].split(",") if text != NON_REFERENCE]

    @cached_property
    def genotype(self) -> tuple[int | None, ...]:
        return tuple(None if text == "." else int(text) for text in self.fields["GT"].replace("|", "/").split("/"))

    def take_phase(self, phased: "Row") -> None:
        """Take the phased genotype of the same record in a VCF that was phased after calling."""
        if phased.alternates == self.alternates and sorted(map(str, phased.genotype)) == sorted(
            map(str, self.genotype)
        ):
            self.fields |= {"GT": phased.fields["GT"], "PS": phased.fields.get("PS", ".")}
            self.genotype = phased.genotype

    @property
    def ploidy(self) -> int:
        return len(self.genotype)

    @cached_property
    def likelihoods(self) -> list[int]:
        """PL as they stand in the file."""
        return [int(text) for text in self.fields["PL"].split(",")]

    @cached_property
    def depths(self) -> list[int]:
        """AD without that of <NON_REF>; of a block its lowest depth."""
        if self.is_block:
            return [int(self.fields.get("MIN_DP", self.fields["DP"]))]
        return [int(text) for text in self.fields["AD"].split(",")][: len(self.alternates) + 1]

    @property
    def reads_only(self) -> list[int]:
        """Alternates that no network has judged: given to the caller, and no candidates."""
        numbers = self.columns[7].partition("READS_ONLY=")[2].partition(";")[0]
        return [int(text) for text in numbers.split(",")] if numbers else []

    @property
    def is_snv(self) -> bool:
        return len(self.columns[3]) == 1 and all(len(text) == 1 for text in self.alternates)

    def presence(self) -> list[float]:
        """Probability of each alternate to be there, by the PL of the file and the prior of any allele."""
        known = len(self.alternates) + 1
        order = genotype_order(known, self.ploidy)
        phreds = genotype_prior(known, self.is_snv, self.ploidy) + self.likelihoods[: len(order)]
        chances = (10 ** (-phreds / 10)).tolist()
        total = sum(chances)
        return [
            sum(chance for chance, genotype in zip(chances, order, strict=True) if allele in genotype) / total
            for allele in range(1, known)
        ]

    def other_reads(self, position: int) -> int:
        """Reads of a site that cover a base or a place inside its span and show what is neither there: not those of deletions."""
        depths = self.depths
        if self.is_snv or position == self.start:
            return int(self.fields["DP"])
        lengths = [len(self.columns[3]), *map(len, self.alternates)]
        return sum(depth for depth, length in zip(depths, lengths, strict=True) if length >= lengths[0])


def _place(genotype: Sequence[int]) -> int:
    """Of a genotype among the PL of a record with its number of copies."""
    return genotype[0] if len(genotype) == 1 else genotype_index(genotype)


@dataclass
class SampleData:
    """What one sample says of a site. likelihoods: float (genotypes,), phred, without prior, the smallest 0; by_reads, showing: the same
    where reads of the reference are errors of a homozygous genotype, and where the site shows them to everybody; errors, artefact: phred of 0/0 on
    the same scale where reads of alternates are errors, and where the site shows them to everybody; depth, depths: DP and
    AD; own, own_quality: place of its own genotype among those of the site, None where it has none, and its GQ; filters: those of its
    own record; phase: GT and PS of its own record where it is phased."""

    ploidy: int
    likelihoods: np.ndarray
    errors: float
    artefact: float
    depth: int
    depths: list[int]
    own: int | None
    own_quality: int = 0
    filters: tuple[str, ...] = ()
    phase: tuple[str, str] | None = None
    by_reads: np.ndarray = field(init=False)
    showing: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.by_reads, self.showing = _with_reference_reads(self.likelihoods, self.depths)

    @property
    def missing(self) -> bool:
        return self.own is None

    @property
    def clean(self) -> float:
        """Chance that it shows no alternate where the site is an artefact; 1 where it shows some. As for reads of the reference."""
        return 1.0 if self.missing or any(self.depths[1:]) else 2 / (self.depth + 1)


@dataclass
class Locus:
    """One site of the cohort. position: 0-based start of REF; alleles: REF first; samples: in the order of the gVCFs."""

    contig: str
    position: int
    alleles: tuple[str, ...]
    snv: bool
    samples: list[SampleData] = field(default_factory=list)


def trimmed(reference: str, alternate: str) -> tuple[str, str]:
    """An allele without the bases that REF of its record has beyond it; the first base stays."""
    while min(len(reference), len(alternate)) > 1 and reference[-1] == alternate[-1]:
        reference, alternate = reference[:-1], alternate[:-1]
    return reference, alternate


def union(rows: Iterable[Row]) -> tuple[str, ...]:
    """REF and alternates of all records of one place: each allele once, however far the REF of its record reaches.

    At most MOST_ALTERNATES, those with the highest probability in any sample; in order of length and text.
    """
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        for alternate, chance in zip(row.alternates, row.presence(), strict=True):
            event = trimmed(row.columns[3], alternate)
            found[event] = max(chance, found.get(event, 0.0))
    chosen = sorted(sorted(found), key=lambda event: -found[event])[:MOST_ALTERNATES]
    reference = max((event[0] for event in chosen), key=len)
    alternates = [alternate + reference[len(short) :] for short, alternate in chosen]
    return (reference, *sorted(alternates, key=lambda text: (len(text), text)))


def sample_data(locus: Locus, rows: Sequence[Row], here: Row | None, usual_ploidy: int) -> SampleData:
    """What a sample says of a site. rows: its records that overlap REF; here: its own record of this site, if it has one."""
    if here is not None:
        return _from_record(locus, here)
    first = [row for row in rows if row.start <= locus.position < row.end]
    if not first:
        return _no_data(locus, usual_ploidy)
    quality, depth = MOST_PHRED, 1 << 30
    for row in rows:
        reads = row.depths[0] if row.is_block else row.other_reads(max(locus.position, row.start))
        depth = min(depth, reads)
        quality = min(quality, float(row.likelihoods[1]) if row.is_block else min(99.0, PHRED_PER_READ * reads))
    if depth == 0:
        return _no_data(locus, first[0].ploidy)
    copies = alternate_counts(len(locus.alleles), first[0].ploidy).sum(axis=1)
    scale = np.array([0.0, 1.0, PHRED_PER_ERROR / 3])
    depths = [depth] + [0] * (len(locus.alleles) - 1)
    return SampleData(first[0].ploidy, scale[copies] * quality, 0.0, 0.0, depth, depths, 0, int(quality))


def _no_data(locus: Locus, ploidy: int) -> SampleData:
    alleles = len(locus.alleles)
    return SampleData(ploidy, np.zeros(alleles * (alleles + 1) // 2), 0.0, 0.0, 0, [0] * alleles, None)


def _from_record(locus: Locus, row: Row) -> SampleData:
    """What a record says that may hold fewer alleles than the site, or others."""
    places = [0]  # of the record's alleles among those of the site; -1 where the site left it out
    for alternate in row.alternates:
        short, text = trimmed(row.columns[3], alternate)
        text += locus.alleles[0][len(short) :]
        places.append(locus.alleles.index(text) if text in locus.alleles[1:] else -1)
    known = {place: own for own, place in enumerate(places) if place >= 0}
    mine, errors, artefact = _likelihoods(row)
    likelihoods = _of_site(len(locus.alleles), known, mine, row)
    best = float(likelihoods.min())
    genotype = [places[allele] for allele in row.genotype if allele is not None]
    whole = len(genotype) == row.ploidy and -1 not in genotype
    depth = int(row.fields["DP"])
    phased = "|" in row.fields["GT"] and whole
    return SampleData(
        ploidy=row.ploidy,
        likelihoods=np.minimum(likelihoods - best, MOST_PHRED),
        errors=errors - best,
        artefact=artefact - best,
        depth=depth,
        depths=[row.depths[known[place]] if place in known else 0 for place in range(len(locus.alleles))],
        own=None if depth == 0 or not genotype else genotype_index(genotype) if whole else 0,
        own_quality=int(row.fields["GQ"]),
        filters=tuple(name for name in row.columns[6].split(";") if name not in ("PASS", ".", "RefCall")),
        phase=("|".join(map(str, genotype)), row.fields.get("PS", ".")) if phased else None,
    )


def _of_site(alleles: int, known: dict[int, int], mine: np.ndarray, row: Row) -> np.ndarray:
    """Phred likelihoods of the site's genotypes. known: place among the site's alleles → the record's allele; mine: the record's."""
    likelihoods = []
    for genotype in genotypes_of(alleles):
        own = [known[allele] for allele in genotype if allele in known]
        if len(own) == 2:
            likelihoods.append(mine[genotype_index(own)])
        elif own:
            likelihoods.append(mine[genotype_index((own[0], own[0]))] + PHRED_PER_READ * row.depths[own[0]])
        else:
            likelihoods.append(min(MOST_PHRED, mine[0] + PHRED_PER_ERROR * int(row.fields["DP"])))
    return np.array(likelihoods)


def _likelihoods(row: Row) -> tuple[np.ndarray, float, float]:
    """Phred likelihoods of a record's genotypes, <NON_REF> left out. With one copy per cell they stand at the homozygous genotypes,
    the others are MOST_PHRED.

    In repeats and among other variants the networks hold a candidate for likely that few reads show. That is knowledge of the
    place, which relatives share, and no evidence of theirs: a read of an alternate speaks for it with PHRED_PER_ERROR at most.

    And 0/0 has two explanations where reads show an alternate: each of them is an error, or the site is an artefact, at
    ARTEFACT_RATE. What the networks give to 0/0 beyond the first is the second, which relatives share: both come back apart as well.
    """
    alleles = len(row.alternates) + 1
    values = np.full(len(genotypes_of(alleles)), MOST_PHRED)
    if row.ploidy == 2:
        values[:] = row.likelihoods[: len(values)]
    else:
        values[[genotype_index((allele, allele)) for allele in range(alleles)]] = row.likelihoods[:alleles]
    if len(row.reads_only) == alleles - 1:
        return values, float(values[0]), float(values[0])
    support = PHRED_PER_ERROR * np.array(row.depths[1:])
    values = np.maximum(values, values[0] - alternate_counts(alleles, 1) @ support)
    for_other, for_reference = sum(row.depths[1:]), row.depths[0]
    by_errors = values[1:].min() + (PHRED_PER_ERROR - PHRED_PER_READ) * for_other - PHRED_PER_READ * for_reference
    reference = 10 ** (-values[0] / 10)
    errors = min(reference, 10 ** (-by_errors / 10))
    artefact = -10 * np.log10(errors + (reference - errors) / ARTEFACT_RATE)
    return values, float(min(MOST_PHRED, -10 * np.log10(max(errors, 1e-99)))), float(artefact)


def _with_reference_reads(likelihoods: np.ndarray, depths: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """SampleData's by_reads and showing.

    A homozygous genotype has two explanations where there are reads of the reference: each of them is an error, or the site
    shows them to everybody. What the networks give beyond the first is the second. Where a homozygous sample has n reads and none of
    the reference, the second has the chance 2 / (n + 1): the integral of (1 - s)^n over shares s of up to a half is nearly that.
    """
    by_reads, showing = likelihoods.copy(), likelihoods.copy()
    for allele in range(1, len(depths)):
        mixed, pure = genotype_index((0, allele)), genotype_index((allele, allele))
        of_reference, reads = depths[0], depths[0] + depths[allele]
        least = min(MOST_PHRED, likelihoods[mixed] + PHRED_PER_ERROR * of_reference - PHRED_PER_READ * reads)
        if of_reference and likelihoods[pure] < least:
            by_reads[pure] = least
        elif depths[allele] and not of_reference:
            showing[pure] += 10 * np.log10((depths[allele] + 1) / 2)
    return by_reads, showing


def shown_reference(by_reads: np.ndarray, showing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Odds that each site shows reads of the reference to everybody, float (loci,), and the likelihoods of the genotypes there, (loci,
    samples, genotypes). by_reads, showing: phred, as in SampleData.

    It is knowledge of the site, which is there once, however many relatives it is told of: that of the sample that tells most.
    With a single sample both ways together give the likelihoods that it had.
    """
    plain = 10 ** (-showing / 10)
    raised = by_reads > showing
    excess = np.where(raised, plain - 10 ** (-by_reads / 10), 0.0)
    odds = excess.max(axis=(1, 2))
    shares = excess / np.where(odds > 0, odds, 1.0)[:, None, None]
    return odds, np.where(raised, shares, plain * (1 - shares.max(axis=2, keepdims=True)))


# ---- files --------------------------------------------------------------------------------------------------------


@dataclass
class GvcfFile:
    """One sample's gVCF: its path, name, model, and contigs (name to length in bases)."""

    path: Path
    sample: str
    model_version: str
    contigs: dict[str, int]


def read_headers(paths: Sequence[Path], reference: Path) -> list[GvcfFile]:
    """Read and check the headers of gVCFs.

    Raises InputError, all at once: not a gVCF of Strandwise, no index, several samples, a sample twice, contigs that the reference
    lacks or has with another length.
    """
    lengths = contig_lengths(reference)
    problems: list[str] = []
    files: list[GvcfFile] = []
    for path in paths:
        found = _read_header(path)
        if isinstance(found, str):
            problems.append(f"{path.name}: {found}")
            continue
        wrong = [name for name, length in found.contigs.items() if lengths.get(name) != length]
        if wrong:
            problems.append(
                f"{path.name}: contig {some_names(wrong)} is not in {reference.name} with this length; "
                "give the reference that the sample was called with"
            )
        twice = next((file for file in files if file.sample == found.sample), None)
        if twice:
            problems.append(
                f"{path.name}: sample {found.sample} is in {twice.path.name} already; leave one of them out"
            )
        files.append(found)
    if problems:
        raise InputError(*problems)
    return files


def _read_header(path: Path) -> GvcfFile | str:
    """The file, or what is wrong with it."""
    import pysam

    try:
        with pysam.VariantFile(str(path)) as variants:
            said = {record.key: record.value for record in variants.header.records if record.type == "GENERIC"}
            samples = list(variants.header.samples)
            contigs = {str(name): int(contig.length or 0) for name, contig in variants.header.contigs.items()}
            whole = "NON_REF" in str(variants.header)
    except (OSError, ValueError) as error:
        return f"cannot be opened as VCF ({error}); give a .g.vcf.gz"
    if "Strandwise" in str(said.get("source")) and whole and QUALITIES not in said:
        return "its PL hold a prior, as earlier versions wrote them; call the sample again with this version"
    if "Strandwise" not in str(said.get("source")) or not whole:
        return "is no gVCF of Strandwise, whose qualities joint genotyping relies on; give small_variants/<sample>/<sample>.g.vcf.gz"
    if len(samples) != 1:
        return f"holds {len(samples)} samples; give one gVCF per sample"
    if not Path(f"{path}.tbi").exists():
        return f"has no index beside it; make one with: bcftools index --tbi {path.name}"
    return GvcfFile(path, samples[0], str(said.get("strandwise_model", "unknown")), contigs)


# ---- windows ------------------------------------------------------------------------------------------------------


class Cohort:
    """The gVCFs of all samples, read window by window side by side. phased: sample → VCF with its phased genotypes."""

    def __init__(self, files: Sequence[GvcfFile], phased: Mapping[str, Path] | None = None):
        import pysam

        self.files = list(files)
        self.tabix: list[pysam.TabixFile] = [pysam.TabixFile(str(file.path)) for file in files]
        self.known = [set(tabix.contigs) for tabix in self.tabix]
        number = {file.sample: index for index, file in enumerate(files)}
        self.phased = {number[sample]: pysam.TabixFile(str(path)) for sample, path in (phased or {}).items()}

    def __enter__(self) -> "Cohort":
        return self

    def __exit__(self, *_: object) -> None:
        for tabix in (*self.tabix, *self.phased.values()):
            tabix.close()

    def holds(self, contig: str) -> bool:
        return any(contig in known for known in self.known)

    def loci(self, interval: Interval) -> Iterator[list[Locus]]:
        """Sites whose record starts inside, in order, a window at a time."""
        start = interval.start
        while start < interval.end:
            stop = min(interval.end, (start // WINDOW + 1) * WINDOW)
            yield self._window(interval.contig, start, stop)
            start = stop

    def _window(self, contig: str, start: int, stop: int) -> list[Locus]:
        samples = [SampleRows(rows) for rows in self._rows(contig, start, stop)]
        self._take_phases(samples, contig, start, stop)
        places: dict[tuple[int, bool], dict[int, Row]] = {}
        for number, sample in enumerate(samples):
            for row in sample.rows:
                if start <= row.start < stop and not row.is_block and row.alternates:
                    places.setdefault((row.start, not row.is_snv), {}).setdefault(number, row)
        loci = []
        for (position, indel), owners in sorted(places.items()):
            locus = Locus(contig, position, union(owners.values()), not indel)
            for number, sample in enumerate(samples):
                here = owners.get(number)
                rows = () if here else sample.overlapping(position, position + len(locus.alleles[0]))
                locus.samples.append(sample_data(locus, rows, here, sample.ploidy))
            loci.append(locus)
        return loci

    def _take_phases(self, samples: "Sequence[SampleRows]", contig: str, start: int, stop: int) -> None:
        for number, tabix in self.phased.items():
            if contig not in tabix.contigs:
                continue
            lines = (
                line for line in tabix.fetch(contig, start, stop) if "|" in line.rpartition("\t")[2].partition(":")[0]
            )
            phased = {(row.start, row.is_snv): row for row in map(Row, lines)}
            for row in samples[number].rows:
                if not row.is_block and (found := phased.get((row.start, row.is_snv))):
                    row.take_phase(found)

    def _rows(self, contig: str, start: int, stop: int) -> Iterator[list[Row]]:
        for file, tabix, known in zip(self.files, self.tabix, self.known, strict=True):
            if contig not in known:
                yield []
                continue
            stop_here = min(file.contigs[contig], stop + REACH)
            yield [row for line in tabix.fetch(contig, start, stop_here) for row in Row(line).parts()]


class SampleRows:
    """The records of one sample in a window, in order."""

    def __init__(self, rows: list[Row]):
        self.rows = rows
        self.starts = [row.start for row in rows]
        self.longest = max((row.end - row.start for row in rows if not row.is_block), default=0)
        self.ploidy = rows[0].ploidy if rows else 2

    def overlapping(self, start: int, end: int) -> list[Row]:
        """Records that overlap [start, end). Blocks do not overlap each other; sites may begin earlier and reach in."""
        first = bisect.bisect_left(self.starts, start - self.longest) - 1
        last = bisect.bisect_left(self.starts, end)
        return [row for row in self.rows[max(0, first) : last] if row.end > start]
