# The germline caller beside its peers. DATA: folder with references, truth and real reads (LICENSE-DATA.md says whence).
.PHONY: bench-germline
germline := benchmarks/germline
germline_sets ?= .tools/bench/germline

bench-germline: setup ## our germline caller and its peers on the same reads: make bench-germline DATA=… [GATK='command of GATK'] (an hour)
	$(python) $(germline)/simulate.py sets --plan $(germline)/sets.tsv --data $(DATA) --output $(germline_sets) --only test --only real
	$(python) $(germline)/run.py call --sets $(germline_sets)/SETS.tsv --output $(germline_sets)/calls $(if $(GATK),--gatk '$(GATK)')
	$(python) $(germline)/run.py score --sets $(germline_sets)/SETS.tsv --output $(germline_sets)/calls
