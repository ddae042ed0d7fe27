"""Targets of drugs as gene symbols and gene families: the words by which drugs are told to act alike."""

import re

# Names in use for drug targets that are no HGNC symbols → the genes they mean.
GENES = {
    "PI3Kalpha": "PIK3CA", "PI3Kbeta": "PIK3CB", "PI3Kdelta": "PIK3CD", "PI3Kgamma": "PIK3CG",
    "PI3K": "PIK3CA PIK3CB PIK3CD PIK3CG", "PI3K (class 1)": "PIK3CA PIK3CB PIK3CD PIK3CG",
    "PI3K (beta sparing)": "PIK3CA PIK3CD PIK3CG", "BCL-2": "BCL2", "BCL-XL": "BCL2L1", "BCL-W": "BCL2L2", "BCL-B": "BCL2L10",
    "BFL1": "BCL2A1", "MTORC1": "MTOR", "MTORC2": "MTOR", "ABL": "ABL1", "BCR-ABL": "ABL1", "ERK1": "MAPK3", "ERK2": "MAPK1",
    "MEK1": "MAP2K1", "MEK2": "MAP2K2", "MEK": "MAP2K1 MAP2K2", "cIAP": "BIRC2 BIRC3", "IAP1": "BIRC2", "IAP2": "BIRC3",
    "IAP": "XIAP BIRC2 BIRC3", "VEGFR": "KDR FLT1 FLT4", "VEGFR2": "KDR", "VEGFR3/FLT4": "FLT4", "PDGFR": "PDGFRA PDGFRB",
    "IKK": "CHUK IKBKB", "IKK1": "CHUK", "IKK2": "IKBKB", "IR": "INSR", "IGFR1": "IGF1R", "PDK1 (PDPK1)": "PDPK1",
    "p38": "MAPK14", "JNK": "MAPK8 MAPK9 MAPK10", "JNK1": "MAPK8", "JNK2": "MAPK9", "HSP90": "HSP90AA1 HSP90AB1",
    "RAF": "RAF1 BRAF", "ESR": "ESR1", "PERK": "EIF2AK3", "TIE2": "TEK", "RON": "MST1R", "HER2": "ERBB2", "HER3": "ERBB3",
    "RSK": "RPS6KA1 RPS6KA2 RPS6KA3", "RSK1": "RPS6KA1", "RSK2": "RPS6KA3", "RSK3": "RPS6KA2", "TGFB1": "TGFBR1",
    "UAF1": "WDR48", "DNAPK": "PRKDC", "Polybromo 1": "PBRM1", "S6K1": "RPS6KB1", "NAE": "NAE1", "PMRT5": "PRMT5",
    "KSP11": "KIF11", "MRCKB_HUMAN": "CDC42BPB", "VSP34": "PIK3C3", "BRPF1B": "BRPF1", "BRPF2": "BRD1", "IDH1 (R132H)": "IDH1",
    "G9a and GLP methyltransferases": "EHMT1 EHMT2", "IDH2 R140Q mutant": "IDH2", "KRAS (G12C)": "KRAS",
    "TP53 activation": "TP53", "Telomerase": "TERT", "Ephrins": "EPHA2 EPHB4", "RNA helicase A": "DHX9",
    "Retinoic acid": "RARA", "Proteasome": "PSMB5", "HDAC inhibitor Class I": "HDAC1 HDAC2 HDAC3 HDAC8", "IIb": "HDAC6",
    "AKT": "AKT1 AKT2 AKT3", "GSK3": "GSK3A GSK3B", "PARP": "PARP1 PARP2", "TOP2": "TOP2A TOP2B", "TUBB": "TUBB",
}  # fmt: skip
_GENES = {name.lower(): genes.split() for name, genes in GENES.items()}
# Genes of one family whose symbols do not begin alike.
FAMILIES = {
    "ERBB": "EGFR", "CHUK": "IKBK", "IKBKB": "IKBK", "KDR": "VEGFR", "FLT": "VEGFR", "PDGFRA": "PDGFR", "PDGFRB": "PDGFR",
    "KIT": "PDGFR", "INSR": "IGF", "BRAF": "RAF", "XIAP": "BIRC", "MCL": "BCL", "AURKA": "AURK", "AURKB": "AURK", "AURKC": "AURK",
}  # fmt: skip
IGNORED = ("", "others", "iia", "iv")


def target_genes(text: str) -> list[str]:
    """Targets of one drug, each once: gene symbols, and in their own words what is no gene (`Microtubule stabiliser`).

    text: names separated by commas or semicolons, as users and screens give them.
    """
    found: list[str] = []
    for part in re.split(r"[,;]", text):
        name = " ".join(part.split())
        if name.lower() not in IGNORED:
            found += _GENES.get(name.lower(), [name])
    return list(dict.fromkeys(found))


def family(gene: str) -> str:
    """What the symbols of related genes begin with (`CDK` of CDK4 and CDK6); of other words the first."""
    if " " in gene:
        return gene.split()[0].lower()
    letters = re.match(r"[A-Za-z]+", gene)
    name = letters.group(0).upper() if letters else gene
    return FAMILIES.get(name, name)


def tokens(targets: str, pathway: str) -> list[str]:
    """Words by which drugs are compared: `target EGFR`, `family EGFR`, `pathway EGFR signaling`."""
    genes = target_genes(targets)
    families = dict.fromkeys(family(gene) for gene in genes)
    words = [f"target {gene}" for gene in genes] + [f"family {name}" for name in families]
    return words + ([f"pathway {pathway.strip().lower()}"] if pathway.strip() else [])
