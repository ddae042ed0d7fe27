"""Writes what was called as VCF 4.3 and gVCF, checked and indexed before it gets its name."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise import __version__
from strandwise.errors import InputError
from strandwise.formats.files import written

if TYPE_CHECKING:
    import numpy
    import pysam

FILTERS = {
    "PASS": "All filters passed",
    "RefCall": "Looked at and found to be reference",
    "LowQual": "The genotype is uncertain: GQ below the model's threshold",
    "LowDepth": "Too few reads for the model to judge",
    "LowMapQ": "No read that is mapped with confidence",
    "NoCall": "No genotype: the reads fit none",
}

GENOTYPE_QUALITY_BANDS = (0, 10, 20, 30, 40, 50)
"""Lower edges of the bands of reference genotype quality; a gVCF block never leaves its band.

Nothing above 50 (an error in 100,000) is told apart: at 30x that makes the file five times smaller.
"""

MOST_QUALITY = 99

GRID = 10_000
"""Blocks end, and shards may be cut, at multiples of this many bases: so blocks do not depend on the sharding."""

NON_REFERENCE = "<NON_REF>"

QUALITIES = "strandwise_qualities"
"""Key of the header line that says what QUAL, GQ and PL are. Files without it hold a prior in their PL."""

AMBIGUOUS = str.maketrans("RYSWKMBDHVU", "N" * 11)
"""REF is written with A, C, G, T and N alone (VCF 4.3, section 1.6.1); a reference may hold other IUPAC codes."""


@dataclass(slots=True)
class SiteCall:
    """One record. position: 0-based start of REF; alleles: REF first, left-aligned and parsimonious.

    genotype: one allele number per chromosome copy, None where unknown; quality: phred that the site differs from the
    reference; genotype_quality: phred, 0 to 99; allele_depths: reads per allele, as many as alleles; likelihoods: PL,
    phred, without prior, best genotype 0, in VCF order (VCF 4.3, section 1.6.2); filters: names from FILTERS, ("PASS",) when none;
    given: empty, or where an alternate was asked for, of each the chance to be carried that its qualities hold, None where
    it was not asked for or has no reads; reads_only: numbers of the alternates that no network has judged.
    """

    contig: str
    position: int
    alleles: tuple[str, ...]
    genotype: tuple[int | None, ...]
    quality: float
    genotype_quality: int
    depth: int
    allele_depths: tuple[int, ...]
    likelihoods: tuple[int, ...]
    filters: tuple[str, ...] = ("PASS",)
    given: tuple[float | None, ...] = ()
    reads_only: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        return self.position + len(self.alleles[0])


@dataclass(slots=True)
class IntervalCalls:
    """All that was found in [start, end) of a contig, 0-based half-open.

    sites: in order, each with its position inside; depth: int32 (end - start,), reads that count; reference_quality:
    uint8 (end - start,), phred that a position without a site is homozygous reference. What is given in pieces is cut
    at multiples of GRID.
    """

    contig: str
    start: int
    end: int
    sites: Sequence[SiteCall]
    depth: "numpy.ndarray"
    reference_quality: "numpy.ndarray"
    ploidy: int = 2


def genotype_count(alleles: int, ploidy: int) -> int:
    """Number of genotypes, that is of PL values, for one or two copies."""
    return alleles if ploidy == 1 else alleles * (alleles + 1) // 2


def genotype_order(alleles: int, ploidy: int) -> list[tuple[int, ...]]:
    """Genotypes in the order of PL (VCF 4.3, section 1.6.2)."""
    if ploidy == 1:
        return [(allele,) for allele in range(alleles)]
    return [(low, high) for high in range(alleles) for low in range(high + 1)]


def quality_bands(text: str) -> tuple[int, ...]:
    """Lower edges of the gVCF's bands from text: "5,20,60" is (0, 5, 20, 60).

    Raises InputError for what is no rising list of whole numbers from 1 to 99.
    """
    edges = [int(word) if word.strip().isdecimal() else -1 for word in text.split(",")]
    rising = all(low < high for low, high in itertools.pairwise([0, *edges, MOST_QUALITY + 1]))
    if not rising:
        raise InputError(f"gVCF bands {text!r}: give rising whole numbers from 1 to 99 with commas between, as 5,20,60")
    return 0, *edges


def header(
    contigs: dict[str, int],
    sample: str,
    model_version: str,
    gvcf: bool,
    bands: Sequence[int] = GENOTYPE_QUALITY_BANDS,
    given: bool = False,
) -> str:
    """VCF header without dates or paths, so that equal input gives equal files.

    contigs: name to length in bases; bands: of the gVCF's blocks; given: whether alleles were given from outside.
    """
    lines = ["##fileformat=VCFv4.3", f"##source=Strandwise {__version__}", f"##strandwise_model={model_version}"]
    lines.append(
        f"##{QUALITIES}=QUAL is the phred probability that the genotype is 0/0 and GQ that it is not GT: both with a prior; PL is without"
    )
    lines += [f'##FILTER=<ID={name},Description="{meaning}">' for name, meaning in FILTERS.items()]
    lines += [
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Phred probability that the genotype is wrong, prior included; of a block the lowest difference of PL">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads that count; of a block their mean">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads that support each allele">',
        '##FORMAT=<ID=VAF,Number=A,Type=Float,Description="Share of the reads that support each alternate allele">',
        '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Genotype likelihoods, phred, without prior, the best 0">',
    ]
    if given:
        lines += [
            '##INFO=<ID=GIVEN,Number=A,Type=Float,Description="An alternate was asked for: chance before any read that a person carries it, which GQ and QUAL hold">',
            '##INFO=<ID=READS_ONLY,Number=.,Type=Integer,Description="Alternates that no network has judged: their PL come from the reads alone">',
        ]
    if gvcf:
        lines += [
            '##INFO=<ID=END,Number=1,Type=Integer,Description="Last position of the block">',
            '##INFO=<ID=DP,Number=1,Type=Integer,Description="Reads that count; merged files add them up">',
            '##INFO=<ID=PARTS,Number=.,Type=String,Description="Records of the VCF that this one joins: alternates, QUAL, FILTER, GT, GQ, DP, AD">',
            '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Lowest depth in the block">',
            '##ALT=<ID=NON_REF,Description="Any other allele at this position">',
        ]
        for low, high in itertools.pairwise((*bands, MOST_QUALITY + 1)):
            lines.append(f"##GVCFBlock{low}-{high}=minGQ={low}(inclusive),maxGQ={high}(exclusive)")
    lines += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", sample]))
    return "\n".join(lines) + "\n"


def record(site: SiteCall) -> str:
    """One line of the VCF, without its end."""
    return _line(site, site.alleles[1:], site.allele_depths, site.likelihoods)


def gvcf_record(site: SiteCall) -> str:
    """One line of the gVCF: <NON_REF> is the last allele, supported by no read.

    INFO/DP is there for GATK: GenotypeGVCFs drops what comes from a GenomicsDB without it.
    """
    alternates = (*site.alleles[1:], NON_REFERENCE)
    return _line(site, alternates, (*site.allele_depths, 0), with_non_reference(site), [f"DP={site.depth}"])


def gvcf_lines(sites: Iterable[SiteCall]) -> Iterator[tuple[int, str]]:
    """Yield (0-based start, line) of the gVCF: one line for each base where sites begin, as GATK's GenomicsDBImport demands."""
    for position, group in itertools.groupby(sites, key=lambda site: site.position):
        here = list(group)
        yield position, gvcf_record(here[0]) if len(here) == 1 else joined_record(here)


def joined_record(sites: Sequence[SiteCall]) -> str:
    """One line of the gVCF for an SNV and an indel that begin at the same base.

    Its alleles are those of both, and those with both changes where genotypes need them: a genotype has the PL that both sites give to
    their parts of it, added up. INFO/PARTS keeps what both said.
    """
    whole, parts = joined(sites)
    told = [
        ":".join(
            [
                "/".join(map(str, numbers)),
                f"{site.quality:.1f}",
                "&".join(site.filters),
                _genotype_text(site),
                str(site.genotype_quality),
                str(site.depth),
                "/".join(map(str, site.allele_depths)),
            ]
        )
        for site, numbers in zip(sites, parts, strict=True)
    ]
    alternates = (*whole.alleles[1:], NON_REFERENCE)
    info = [f"DP={whole.depth}", f"PARTS={','.join(told)}"]
    return _line(whole, alternates, (*whole.allele_depths, 0), with_non_reference(whole), info)


def joined(sites: Sequence[SiteCall]) -> tuple[SiteCall, list[list[int]]]:
    """Sites that begin at the same base as one, and for each the numbers of its alternates there.

    An allele is here a tuple of allele numbers, one of each site.
    """
    haplotypes = _haplotypes(sites)
    own = [_only(site, number, len(sites)) for number, site in enumerate(sites)]
    carried = [sorted({0, *side}) for side in zip(*haplotypes, strict=True)]
    both = [one for one in itertools.product(*carried) if sum(map(bool, one)) > 1]
    alleles = [(0,) * len(sites), *itertools.chain(*own), *both]
    parts = [[alleles.index(one) for one in alternates] for alternates in own]
    likelihoods = [
        sum(_likelihood(site, side) for site, side in zip(sites, zip(*pair, strict=True), strict=True))
        for pair in _genotypes(alleles, len(sites[0].genotype))
    ]
    telling = [site for site in sites if any(site.genotype)] or sites
    filters = {name for site in telling for name in site.filters}
    asked = {n: share for site, numbers in zip(sites, parts, strict=True) for n, share in zip(numbers, site.given, strict=False)}  # fmt: skip
    unjudged = [numbers[own - 1] for site, numbers in zip(sites, parts, strict=True) for own in site.reads_only]
    whole = SiteCall(
        contig=sites[0].contig,
        position=sites[0].position,
        alleles=tuple(_joined_allele(sites, one) for one in alleles),
        genotype=tuple(sorted(map(alleles.index, haplotypes))) or (None,) * len(sites[0].genotype),
        quality=max(site.quality for site in sites),
        genotype_quality=min(site.genotype_quality for site in sites),
        depth=max(site.depth for site in sites),
        allele_depths=_joined_depths(sites, alleles, haplotypes),
        likelihoods=tuple(value - min(likelihoods) for value in likelihoods),
        filters=("PASS",) if "PASS" in filters else tuple(sorted(filters)),
        given=tuple(asked.get(number) for number in range(1, len(alleles))) if asked else (),
        reads_only=tuple(sorted(unjudged)),
    )
    return whole, parts


def _only(site: SiteCall, number: int, sites: int) -> list[tuple[int, ...]]:
    """The alternates of a site beside the reference of the others."""
    return [tuple(allele if k == number else 0 for k in range(sites)) for allele in range(1, len(site.alleles))]


def _haplotypes(sites: Sequence[SiteCall]) -> list[tuple[int, ...]]:
    """The alleles of each copy; how alternates of several sites share it is not known: on different copies as far as they go.
    Nothing, where a genotype is unknown."""
    if any(None in site.genotype for site in sites):
        return []
    sides = [sorted((a or 0 for a in site.genotype), reverse=bool(k % 2)) for k, site in enumerate(sites)]
    return list(zip(*sides, strict=True))


def _genotypes(alleles: Sequence[tuple[int, ...]], ploidy: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """One or two alleles, in the order of PL."""
    for high, one in enumerate(alleles):
        yield from [(one,)] if ploidy == 1 else [(other, one) for other in alleles[: high + 1]]


def _likelihood(site: SiteCall, genotype: Sequence[int]) -> int:
    low, high = min(genotype), max(genotype)
    return site.likelihoods[low] if len(genotype) == 1 else site.likelihoods[high * (high + 1) // 2 + low]


def _joined_depths(
    sites: Sequence[SiteCall], alleles: Sequence[tuple[int, ...]], haplotypes: Sequence[tuple[int, ...]]
) -> tuple[int, ...]:
    """Reads of each allele. Those of an allele with both changes, where the genotype has it, are at most those of each change."""
    together = {
        one: min(site.allele_depths[a] for site, a in zip(sites, one, strict=True) if a)
        for one in haplotypes
        if sum(map(bool, one)) > 1
    }
    depths = [min(site.allele_depths[0] for site in sites)]
    for one in alleles[1:]:
        changes = [(k, a) for k, a in enumerate(one) if a]
        if len(changes) > 1:
            depths.append(together.get(one, 0))
            continue
        ((k, a),) = changes
        depths.append(max(0, sites[k].allele_depths[a] - sum(n for other, n in together.items() if other[k] == a)))
    return tuple(depths)


def _joined_allele(sites: Sequence[SiteCall], numbers: Sequence[int]) -> str:
    """The text of an allele on the longest REF: an SNV changes the first base of what an indel leaves."""
    reference = text = max((site.alleles[0] for site in sites), key=len)
    for site, number in sorted(zip(sites, numbers, strict=True), key=lambda pair: -max(map(len, pair[0].alleles))):
        if number:
            own, length = site.alleles[number], len(site.alleles[0])
            text = own + (text[1:] if len(own) == length == 1 else reference[length:])
    return text


def _genotype_text(site: SiteCall) -> str:
    return "/".join("." if allele is None else str(allele) for allele in site.genotype)


def _line(
    site: SiteCall,
    alternates: Sequence[str],
    depths: Sequence[int],
    likelihoods: Sequence[int],
    info: Sequence[str] = (),
) -> str:
    unjudged = [f"READS_ONLY={','.join(map(str, site.reads_only))}"] if site.reads_only else []
    shares = [f"{share:g}" if share else "." for share in (*site.given, *(None,) * (len(alternates) - len(site.given)))]
    asked = [f"GIVEN={','.join(shares)}"] if site.given else []
    information = ";".join([*info, *asked, *unjudged]) or "."
    fractions = ",".join(f"{depth / site.depth if site.depth else 0:.3g}" for depth in depths[1:])
    return (
        f"{site.contig}\t{site.position + 1}\t.\t{site.alleles[0]}\t{','.join(alternates)}\t{site.quality:.1f}\t"
        f"{';'.join(site.filters)}\t{information}\tGT:GQ:DP:AD:VAF:PL\t{_genotype_text(site)}:{site.genotype_quality}:{site.depth}:"
        f"{','.join(map(str, depths))}:{fractions}:{','.join(map(str, likelihoods))}"
    )


def with_non_reference(site: SiteCall) -> tuple[int, ...]:
    """PL of `site` with an allele more that no read supports.

    A genotype i/<NON_REF> explains what i/i explains, with half the chance for each read of i (10 log10 2 = 3 phred);
    <NON_REF>/<NON_REF> explains no read: what every homozygous genotype fails to explain together.
    """
    alleles, likelihoods = len(site.alleles), site.likelihoods
    if len(site.genotype) == 1:
        return (*likelihoods, _unexplained(likelihoods, alleles))
    homozygous = [likelihoods[i * (i + 3) // 2] for i in range(alleles)]
    mixed = [homozygous[i] + 3 * site.allele_depths[i] for i in range(alleles)]
    return (*likelihoods, *mixed, max(_unexplained(homozygous, alleles), *mixed))


def _unexplained(homozygous: Sequence[int], alleles: int) -> int:
    return round(sum(homozygous) / max(1, alleles - 1))


def check_site(site: SiteCall, calls: IntervalCalls, sequence: str) -> None:
    """Hold a site against what a VCF promises.

    sequence: the reference's bases from calls.start, at least to the site's end.
    Raises ValueError: all of these are our own bugs.
    """
    alleles, where = site.alleles, f"{site.contig}:{site.position + 1} {'/'.join(site.alleles)}"
    if site.contig != calls.contig or not calls.start <= site.position < calls.end:
        raise ValueError(f"{where}: outside {calls.contig}:{calls.start + 1}-{calls.end}")
    offset = site.position - calls.start
    if sequence[offset : offset + len(alleles[0])] != alleles[0]:
        raise ValueError(f"{where}: REF is not the reference's {sequence[offset : offset + len(alleles[0])]}")
    if len(alleles) < 2 or len(set(alleles)) != len(alleles):
        raise ValueError(f"{where}: alleles missing or repeated")
    if len({allele[-1] for allele in alleles}) == 1 and (min(map(len, alleles)) > 1 or site.position > 0):
        raise ValueError(f"{where}: not left-aligned")
    if min(map(len, alleles)) > 1 and len({allele[0] for allele in alleles}) == 1:
        raise ValueError(f"{where}: not parsimonious")
    if len(site.allele_depths) != len(alleles):
        raise ValueError(f"{where}: {len(site.allele_depths)} allele depths for {len(alleles)} alleles")
    if len(site.likelihoods) != genotype_count(len(alleles), len(site.genotype)):
        raise ValueError(f"{where}: {len(site.likelihoods)} likelihoods for {len(alleles)} alleles")
    if not site.filters or set(site.filters) - FILTERS.keys():
        raise ValueError(f"{where}: unknown filters {site.filters}")


def blocks(
    calls: IntervalCalls, bases: bytes, bands: Sequence[int] = GENOTYPE_QUALITY_BANDS
) -> Iterator[tuple[int, str]]:
    """Yield (0-based start, line) of the reference blocks between the sites. bases: the reference over the interval.

    A site covers the span of its REF, up to the next multiple of GRID. Blocks end where a site begins, at multiples of
    GRID and where quality changes its band; depth 0 is a band of its own, without a genotype. PL of a het is the
    quality; a hom-alt costs ten times that (30 phred against 3 for each reference read, at error 0.001).
    """
    import numpy

    if calls.end == calls.start:
        return
    length = calls.end - calls.start
    depth, quality = calls.depth, numpy.minimum(calls.reference_quality, MOST_QUALITY)
    band = numpy.searchsorted(bands, quality, side="right")
    band[depth == 0] = 0
    for site in calls.sites:
        border = (site.position // GRID + 1) * GRID
        band[site.position - calls.start : min(site.end, border) - calls.start] = -1
    new = numpy.empty(length, bool)
    new[0] = True
    numpy.not_equal(band[1:], band[:-1], out=new[1:])
    new[(-calls.start) % GRID :: GRID] = True
    starts = numpy.flatnonzero(new)
    ends = numpy.append(starts[1:], length)
    lowest_quality = numpy.minimum.reduceat(quality, starts).tolist()
    lowest_depth = numpy.minimum.reduceat(depth, starts).tolist()
    mean_depth = numpy.rint(numpy.add.reduceat(depth, starts, dtype=numpy.int64) / (ends - starts)).astype(int).tolist()
    called, missing = ("0/0", "./.") if calls.ploidy == 2 else ("0", ".")
    scale = ("{0},{1},{2}" if calls.ploidy == 2 else "{0},{1}").format
    likelihoods = [scale(0, value, 10 * value) for value in range(MOST_QUALITY + 1)]
    columns = zip(
        starts.tolist(), ends.tolist(), band[starts].tolist(), lowest_quality, mean_depth, lowest_depth, strict=True
    )
    for start, end, kind, gq, mean, lowest in columns:
        if kind < 0:
            continue
        place = f"{calls.contig}\t{calls.start + start + 1}\t.\t{chr(bases[start])}\t{NON_REFERENCE}\t.\t.\t"
        values = f"{called if kind else missing}:{gq}:{mean}:{lowest}:{likelihoods[gq]}"
        yield calls.start + start, f"{place}END={calls.start + end}\tGT:GQ:DP:MIN_DP:PL\t{values}"


def write_calls(
    intervals: Iterable[IntervalCalls],
    reference: Path,
    sample: str,
    model_version: str,
    output: Path,
    gvcf: Path,
    bands: Sequence[int] = GENOTYPE_QUALITY_BANDS,
    given: bool = False,
) -> int:
    """Write sites to `output`, sites with reference blocks to `gvcf`: bgzipped, tabix indexes; gives the sites' number.

    intervals: sorted as in the reference; bands, given: as header takes them. Every site is checked (check_site), so is the order; the files get their
    names when htslib has read all of them again and counted as many records as were written. Raises ValueError for our
    own bugs.
    """
    import pysam

    with (
        pysam.FastaFile(str(reference)) as fasta,
        written_with_index(output) as plain,
        written_with_index(gvcf) as full,
    ):
        contigs = dict(zip(fasta.references, fasta.lengths, strict=True))
        counts = [0, 0]
        with pysam.BGZFile(str(plain), "w", None) as sites_file, pysam.BGZFile(str(full), "w", None) as blocks_file:
            files = (sites_file, blocks_file)
            for file, gvcf_too in zip(files, (False, True), strict=True):
                file.write(header(contigs, sample, model_version, gvcf_too, bands, given).encode())
            for calls in in_order(intervals, list(contigs)):
                for number, lines in enumerate(_lines(calls, fasta, bands)):
                    files[number].write("".join(f"{line}\n" for line in lines).encode())
                    counts[number] += len(lines)
        index_and_count(plain, counts[0])
        index_and_count(full, counts[1])
    return counts[0]


def in_order(intervals: Iterable[IntervalCalls], contigs: list[str]) -> Iterator[IntervalCalls]:
    """Pass the intervals on; raises ValueError for one that begins before the end of the one before."""
    ranks = {name: rank for rank, name in enumerate(contigs)}
    done = (0, 0)
    for calls in intervals:
        if (ranks[calls.contig], calls.start) < done:
            raise ValueError(f"{calls.contig}:{calls.start + 1}-{calls.end} comes after what follows it")
        done = (ranks[calls.contig], calls.end)
        yield calls


@contextmanager
def written_with_index(path: Path) -> Iterator[Path]:
    """As formats.files.written, for a file whose tabix index is made beside it inside the block."""
    with written(path) as temporary:
        index = Path(f"{temporary}.tbi")
        try:
            yield temporary
            index.replace(f"{path}.tbi")
        finally:
            index.unlink(missing_ok=True)


def _lines(calls: IntervalCalls, fasta: "pysam.FastaFile", bands: Sequence[int]) -> tuple[list[str], list[str]]:
    """Lines of one interval for the VCF and for the gVCF, checked."""
    reach = max((site.end for site in calls.sites), default=calls.end)
    sequence = fasta.fetch(calls.contig, calls.start, max(calls.end, reach)).upper()
    sequence = sequence.translate(AMBIGUOUS)
    last = -1
    for site in calls.sites:
        check_site(site, calls, sequence)
        if site.position < last:
            raise ValueError(f"{site.contig}:{site.position + 1} comes after position {last + 1}")
        last = site.position
    both = sorted([*gvcf_lines(calls.sites), *blocks(calls, sequence.encode(), bands)], key=lambda pair: pair[0])
    return [record(site) for site in calls.sites], [line for _, line in both]


def index_and_count(path: Path, expected: int) -> None:
    """Make the tabix index with htslib, which reads every record; raises ValueError: wrong order or number."""
    import pysam
    import pysam.bcftools

    try:
        pysam.bcftools.index("--tbi", "--force", str(path), catch_stdout=False)
    except pysam.SamtoolsError as error:
        raise ValueError(f"{path}: records are out of order or not valid ({error})") from error
    found = record_count(path)
    if found != expected:
        raise ValueError(f"{path}: {found} records, {expected} were written")


def record_count(path: Path) -> int:
    """Number of records by the index of a VCF."""
    import pysam.bcftools

    return int(str(pysam.bcftools.index("--nrecords", str(path))))
