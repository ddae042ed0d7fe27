"""Writes small gVCFs by hand, as the caller would."""

from collections.abc import Sequence
from pathlib import Path

import pysam

from strandwise.formats.vcf import header

CONTIGS = {"chr1": 1000, "chrX": 1000}


def write_reference(folder: Path, contigs: dict[str, int] = CONTIGS) -> Path:
    path = folder / "reference.fa"
    path.write_text("".join(f">{name}\n{'ACGT' * (length // 4)}\n" for name, length in contigs.items()))
    pysam.faidx(str(path))
    return path


def block(first: int, last: int, quality: int, depth: int = 30, ploidy: int = 2, contig: str = "chr1") -> str:
    """A reference block, 1-based, both ends included."""
    genotype = "/".join(("0" if depth else ".") * ploidy)
    likelihoods = f"0,{quality}" + (f",{10 * quality}" if ploidy == 2 else "")
    columns = [contig, str(first), ".", "A", "<NON_REF>", ".", ".", f"END={last}", "GT:GQ:DP:MIN_DP:PL"]
    return "\t".join([*columns, f"{genotype}:{quality}:{depth}:{depth}:{likelihoods}"])


def site(
    position: int, ref: str, alts: str, genotype: str, depths: str, likelihoods: str, filters: str = "PASS", quality: int = 40, contig: str = "chr1", phase_set: int | None = None, info: str = "."
) -> str:  # fmt: skip
    """A site, 1-based; depths and likelihoods without <NON_REF>, for which places are filled."""
    alleles = len(alts.split(",")) + 1
    ploidy = len(genotype.replace("|", "/").split("/"))
    further = ",".join(["90"] * (alleles + 1 if ploidy == 2 else 1))
    depth = sum(map(int, depths.split(",")))
    names, values = "GT:GQ:DP:AD:PL", f"{genotype}:{quality}:{depth}:{depths},0:{likelihoods},{further}"
    if phase_set is not None:
        names, values = f"{names}:PS", f"{values}:{phase_set}"
    return "\t".join([contig, str(position), ".", ref, f"{alts},<NON_REF>", "60", filters, info, names, values])


def write_gvcf(
    folder: Path, sample: str, lines: Sequence[str], model: str = "model 1", contigs: dict[str, int] = CONTIGS, extra: str = ""
) -> Path:  # fmt: skip
    path = folder / f"{sample}.g.vcf.gz"
    text = header(contigs, sample, model, True)
    if "##FORMAT=<ID=PS," not in text:
        text = text.replace("##contig", '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">\n##contig', 1)
    with pysam.BGZFile(str(path), "w", None) as file:
        file.write((extra + text + "".join(f"{line}\n" for line in lines)).encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path
