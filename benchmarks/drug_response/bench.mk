# Benchmarks of drug response: DATA is a training folder (docs/models.md) that also holds the split files; it is not shipped.
# MEMBERS: networks in each ensemble; 4 as shipped, 0 spares most of the time. PARTS: some parts instead of all.
# Killed, the same command goes on; other code, data or weights begin anew.
.PHONY: bench-drugs
MEMBERS ?= 4

bench-drugs: setup ## our drug response and its rivals on the same folds, patients, speed: make bench-drugs DATA=… [PARTS="lines patients"] (half an hour)
	@$(python) benchmarks/drug_response/bench.py --data $(DATA) --members $(MEMBERS) --output .tools/bench/drug_response \
		$(addprefix --part ,$(PARTS))
