"""Strandwise: deep learning for genomics, the code behind the pipeline's steps."""

__version__ = "0.1.0"
