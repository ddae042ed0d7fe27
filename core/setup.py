"""Builds the extension against the htslib that pysam brings, so that nothing but a C compiler is needed."""

from pathlib import Path

import numpy
import pysam
from Cython.Build import cythonize
from setuptools import Extension, setup

sources = sorted(str(path) for path in Path("strandwise_core/src").glob("*.c"))
htslib = next(Path(path) for path in pysam.get_libraries() if Path(path).name.startswith("libchtslib"))
extension = Extension(
    "strandwise_core.evidence",
    ["strandwise_core/evidence.pyx", *sources],
    include_dirs=["strandwise_core/src", *pysam.get_include(), numpy.get_include()],
    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
    # fp-contract: a fused multiply-add would round differently from one machine to the next
    extra_compile_args=["-O3", "-std=gnu11", "-ffp-contract=off", "-Wall", "-Wno-unused-function"],
    # found at run time beside this package, where pysam lies in every environment
    extra_link_args=[f"-L{htslib.parent}", f"-l:{htslib.name}", "-Wl,-rpath,$ORIGIN/../pysam"],
)
setup(ext_modules=cythonize([extension], compiler_directives={"language_level": "3"}))
