# make setup | demo | test | lint | lock; for people: README.md. Everything is put into .venv, nothing outside this folder.
SHELL := /bin/bash
.DEFAULT_GOAL := help
python := .venv/bin/python

.PHONY: help setup demo test lint lock

help: ## list these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## .venv from the lock, the compiled core and Nextflow; does nothing where all is in place
	@setup/setup.sh

demo: setup ## the main job on the real data that lies in assets/demo
	@setup/demo.sh

test: setup lint ## everything that can be checked without a container engine or SLURM
	$(python) -m pytest -n 2 --dist loadgroup

lint: setup ## style and types of Python, Nextflow and the schema
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy
	.venv/bin/nextflow lint main.nf nextflow.config modules conf

lock: setup ## pin every package again with its hashes, in requirements.txt, setup/uv.txt and each image
	@setup/lock.sh

include setup/places.mk
include benchmarks/germline/bench.mk
include benchmarks/drivers/bench.mk
include benchmarks/drug_response/bench.mk
