"""One site of a joint VCF: the genotypes that are written, filters, and its line."""

from collections.abc import Sequence
from dataclasses import dataclass

from strandwise import __version__
from strandwise.formats.vcf import FILTERS
from strandwise.small_variants.genotypes import LOW_QUALITY, MOST_QUALITY, phred
from strandwise.small_variants.joint_genotypes import JointModel, Posteriors, genotypes_of, subset
from strandwise.small_variants.joint_merge import Locus, SampleData

MOST_SITE_QUALITY = 9999.0


@dataclass
class JointCall:
    """One site as it is written. kept: alleles of the locus in the record; genotypes, best: as in Posteriors, of all alleles of the
    locus; qualities: GQ per sample; sample_filters: FT per sample, empty where it passes; shows_reference: as in Posteriors."""

    locus: Locus
    model: JointModel
    best: list[int]
    qualities: list[int]
    quality: float
    de_novo: dict[int, float]
    kept: list[int]
    sample_filters: list[tuple[str, ...]]
    shows_reference: bool = False

    @property
    def carried(self) -> bool:
        """Whether anybody has an alternate allele."""
        return len(self.kept) > 1

    @property
    def kind(self) -> str:
        return "SNP" if self.locus.snv else "INDEL"

    @property
    def alleles(self) -> list[str]:
        """Of the record, without bases that only alleles left out needed."""
        alleles = [self.locus.alleles[allele] for allele in self.kept]
        while min(map(len, alleles)) > 1 and len({allele[-1] for allele in alleles}) == 1:
            alleles = [allele[:-1] for allele in alleles]
        return alleles

    @property
    def filters(self) -> tuple[str, ...]:
        """PASS where a sample that carries an alternate passes, otherwise what they are filtered for."""
        carriers = [i for i, data in enumerate(self.locus.samples) if not data.missing and self.best[i]]
        if any(not self.sample_filters[i] for i in carriers):
            return ("PASS",)
        return tuple(sorted({name for i in carriers for name in self.sample_filters[i]}))

    def genotype(self, sample: int) -> tuple[int, ...]:
        """Allele numbers of the record; one of them with one copy per cell."""
        whole = genotypes_of(len(self.locus.alleles))[self.best[sample]]
        return tuple(sorted(self.kept.index(allele) for allele in whole[: self.locus.samples[sample].ploidy]))

    def genotype_text(self, sample: int) -> str:
        data = self.locus.samples[sample]
        if data.missing:
            return "/".join("." * data.ploidy)
        if data.phase and data.own == self.best[sample]:
            return "|".join(str(self.kept.index(int(text))) for text in data.phase[0].split("|"))
        return "/".join(map(str, self.genotype(sample)))

    def depths(self, sample: int) -> list[int]:
        return [self.locus.samples[sample].depths[allele] for allele in self.kept]

    def likelihoods(self, sample: int) -> list[int]:
        """PL of the record's genotypes."""
        data = self.locus.samples[sample]
        places = subset(tuple(self.kept))
        if data.ploidy == 1:
            places = [places[allele * (allele + 3) // 2] for allele in range(len(self.kept))]
        values = data.likelihoods[places]
        return [round(value) for value in (values - values.min()).tolist()]

    def line(self) -> str:
        locus, alleles = self.locus, self.alleles
        called = [allele for i, data in enumerate(locus.samples) if not data.missing for allele in self.genotype(i)]
        copies = [called.count(allele) for allele in range(1, len(alleles))]
        shares = ",".join(f"{number / len(called):.4g}" for number in copies)
        information = f"AC={','.join(map(str, copies))};AN={len(called)};AF={shares}"
        phased = any(data.phase for data in locus.samples)
        cells = [self._cell(sample, phased) for sample in range(len(locus.samples))]
        quality = f"{min(self.quality, MOST_SITE_QUALITY):.1f}"
        names = "GT:GQ:DP:AD:PL:FT" + (":PS" if phased else "")
        columns = [locus.contig, str(locus.position + 1), ".", alleles[0], ",".join(alleles[1:]), quality]
        return "\t".join([*columns, ";".join(self.filters), information, names, *cells])

    def _cell(self, sample: int, phased: bool) -> str:
        data = self.locus.samples[sample]
        if data.missing:
            return f"{self.genotype_text(sample)}:.:0"
        text = self.genotype_text(sample)
        values = [text, str(self.qualities[sample]), str(data.depth), ",".join(map(str, self.depths(sample)))]
        values += [",".join(map(str, self.likelihoods(sample))), ";".join(self.sample_filters[sample]) or "PASS"]
        if phased:
            values.append(data.phase[1] if data.phase and "|" in text else ".")
        return ":".join(values)


def joint_call(locus: Locus, posteriors: Posteriors, row: int, model: JointModel) -> JointCall:
    """The site as it is written."""
    best = posteriors.best[row].tolist()
    chances = posteriors.genotypes[row, range(len(best)), best].tolist()
    qualities = [min(MOST_QUALITY, int(phred(1 - chance) + 1e-6)) for chance in chances]
    new = {child: float(chances[row]) for child, chances in posteriors.de_novo.items()}
    call = finished(locus, model, best, qualities, float(posteriors.reference[row]), new)
    if posteriors.shows_reference is not None:
        call.shows_reference = bool(posteriors.shows_reference[row])
    return call


def finished(
    locus: Locus, model: JointModel, best: list[int], qualities: list[int], quality: float, de_novo: dict[int, float]
) -> JointCall:
    """A site with its alleles and filters. Arguments as in JointCall."""
    order = genotypes_of(len(locus.alleles))
    carried = {
        allele for data, place in zip(locus.samples, best, strict=True) if not data.missing for allele in order[place]
    }
    filters = [_sample_filters(*values) for values in zip(locus.samples, best, qualities, strict=True)]
    return JointCall(locus, model, best, qualities, quality, de_novo, sorted({0, *carried}), filters)


def _sample_filters(data: SampleData, best: int, quality: int) -> tuple[str, ...]:
    """Why a sample's genotype is not to be trusted: what its own record said, and a low joint GQ."""
    if data.missing or not best:
        return ()
    kept = [name for name in data.filters if name != "LowQual"]
    return tuple(kept + ["LowQual"] * (quality < LOW_QUALITY))


def header(contigs: dict[str, int], samples: Sequence[str], models: Sequence[str]) -> str:
    """Without dates or paths, so that equal input gives equal files."""
    lines = ["##fileformat=VCFv4.3", f"##source=Strandwise {__version__} joint"]
    lines += [f"##strandwise_model={' + '.join(models)}"]
    lines += [f'##FILTER=<ID={name},Description="{meaning}">' for name, meaning in FILTERS.items()]
    lines += [
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Copies of each alternate allele in the genotypes">',
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Copies of all alleles in the genotypes">',
        '##INFO=<ID=AF,Number=A,Type=Float,Description="AC / AN">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Phred probability that the genotype is wrong, given all samples">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads that count; in a reference block its lowest depth">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads that support each allele">',
        '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Genotype likelihoods of this sample alone, without prior, phred, best 0">',
        '##FORMAT=<ID=FT,Number=1,Type=String,Description="Filter of this sample\'s genotype">',
        '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">',
    ]
    lines += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    return "\n".join([*lines, "\t".join(columns)]) + "\n"
