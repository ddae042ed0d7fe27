"""Works that the methods text cites (also in CITATIONS.md, a test keeps the two in step)."""

CITATIONS = {
    "nextflow": "Di Tommaso P, et al. Nextflow enables reproducible computational workflows. <i>Nat Biotechnol</i> 35:316–319 (2017).",
    "tensorflow": "Abadi M, et al. TensorFlow: a system for large-scale machine learning. <i>OSDI</i> 265–283 (2016).",
    "samtools": "Danecek P, et al. Twelve years of SAMtools and BCFtools. <i>GigaScience</i> 10:giab008 (2021).",
    "dndscv": "Martincorena I, et al. Universal patterns of selection in cancer and somatic tissues. <i>Cell</i> 171:1029–1041 (2017).",
    "xgboost": "Chen T, Guestrin C. XGBoost: a scalable tree boosting system. <i>KDD</i> 785–794 (2016).",
    "intogen": "Martínez-Jiménez F, et al. A compendium of mutational cancer driver genes. <i>Nat Rev Cancer</i> 20:555–572 (2020).",
    "shap": "Lundberg SM, et al. From local explanations to global understanding with explainable AI for trees. "
    "<i>Nat Mach Intell</i> 2:56–67 (2020).",
    "bh": "Benjamini Y, Hochberg Y. Controlling the false discovery rate. <i>J R Stat Soc B</i> 57:289–300 (1995).",
    "gdsc": "Iorio F, et al. A landscape of pharmacogenomic interactions in cancer. <i>Cell</i> 166:740–754 (2016).",
    "rdkit": "RDKit: open-source cheminformatics.",
    "conformal": "Lei J, et al. Distribution-free predictive inference for regression. <i>J Am Stat Assoc</i> 113:1094–1111 (2018).",
    "multiqc": "Ewels P, et al. MultiQC: summarize analysis results for multiple tools and samples in a single report. "
    "<i>Bioinformatics</i> 32:3047–3048 (2016).",
}
