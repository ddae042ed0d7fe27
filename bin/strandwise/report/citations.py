"""Works that the methods text cites, as HTML. CITATIONS.md lists them too; a test keeps the two in step."""

from typing import NamedTuple


class Work(NamedTuple):
    """authors, title, where: as in a list of references; doi: empty where there is none."""

    authors: str
    title: str
    where: str
    doi: str = ""

    def html(self) -> str:
        doi = f' <a href="https://doi.org/{self.doi}">doi:{self.doi}</a>' if self.doi else ""
        return f"{self.authors}. {self.title}. <i>{self.where}</i>.{doi}"


WORKS = {
    "nextflow": Work(
        "Di Tommaso P, et al",
        "Nextflow enables reproducible computational workflows",
        "Nat Biotechnol 35:316–319 (2017)",
        "10.1038/nbt.3820",
    ),
    "tensorflow": Work(
        "Abadi M, et al", "TensorFlow: a system for large-scale machine learning", "OSDI 265–283 (2016)"
    ),
    "deepvariant": Work(
        "Poplin R, et al",
        "A universal SNP and small-indel variant caller using deep neural networks",
        "Nat Biotechnol 36:983–987 (2018)",
        "10.1038/nbt.4235",
    ),
    "guo": Work("Guo C, et al", "On calibration of modern neural networks", "ICML 1321–1330 (2017)"),
    "sundararajan": Work(
        "Sundararajan M, et al",
        "Axiomatic attribution for deep networks",
        "ICML 3319–3328 (2017)",
    ),
    "samtools": Work(
        "Danecek P, et al",
        "Twelve years of SAMtools and BCFtools",
        "GigaScience 10:giab008 (2021)",
        "10.1093/gigascience/giab008",
    ),
    "whatshap": Work(
        "Martin M, et al",
        "WhatsHap: fast and accurate read-based phasing",
        "bioRxiv 085050 (2016)",
        "10.1101/085050",
    ),
    "li2011": Work(
        "Li H",
        "A statistical framework for SNP calling, mutation discovery, association mapping and population genetical parameter estimation from sequencing data",
        "Bioinformatics 27:2987–2993 (2011)",
        "10.1093/bioinformatics/btr509",
    ),
    "polymutt": Work(
        "Li B, et al",
        "A likelihood-based framework for variant calling and de novo mutation detection in families",
        "PLoS Genet 8:e1002944 (2012)",
        "10.1371/journal.pgen.1002944",
    ),
    "vcfeval": Work(
        "Cleary JG, et al",
        "Comparing variant call files for performance benchmarking of next-generation sequencing variant calling pipelines",
        "bioRxiv 023754 (2015)",
        "10.1101/023754",
    ),
    "dndscv": Work(
        "Martincorena I, et al",
        "Universal patterns of selection in cancer and somatic tissues",
        "Cell 171:1029–1041 (2017)",
        "10.1016/j.cell.2017.09.042",
    ),
    "xgboost": Work(
        "Chen T, Guestrin C",
        "XGBoost: a scalable tree boosting system",
        "KDD 785–794 (2016)",
        "10.1145/2939672.2939785",
    ),
    "intogen": Work(
        "Martínez-Jiménez F, et al",
        "A compendium of mutational cancer driver genes",
        "Nat Rev Cancer 20:555–572 (2020)",
        "10.1038/s41568-020-0290-x",
    ),
    "shap": Work(
        "Lundberg SM, et al",
        "From local explanations to global understanding with explainable AI for trees",
        "Nat Mach Intell 2:56–67 (2020)",
        "10.1038/s42256-019-0138-9",
    ),
    "bh": Work(
        "Benjamini Y, Hochberg Y",
        "Controlling the false discovery rate: a practical and powerful approach to multiple testing",
        "J R Stat Soc B 57:289–300 (1995)",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "gdsc": Work(
        "Iorio F, et al",
        "A landscape of pharmacogenomic interactions in cancer",
        "Cell 166:740–754 (2016)",
        "10.1016/j.cell.2016.06.017",
    ),
    "combat": Work(
        "Johnson WE, Li C, Rabinovic A",
        "Adjusting batch effects in microarray expression data using empirical Bayes methods",
        "Biostatistics 8:118–127 (2007)",
        "10.1093/biostatistics/kxj037",
    ),
    "rdkit": Work("Landrum G, et al", "RDKit: open-source cheminformatics", "rdkit.org"),
    "conformal": Work(
        "Lei J, et al",
        "Distribution-free predictive inference for regression",
        "J Am Stat Assoc 113:1094–1111 (2018)",
        "10.1080/01621459.2017.1307116",
    ),
    "multiqc": Work(
        "Ewels P, et al",
        "MultiQC: summarize analysis results for multiple tools and samples in a single report",
        "Bioinformatics 32:3047–3048 (2016)",
        "10.1093/bioinformatics/btw354",
    ),
}
