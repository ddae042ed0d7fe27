# Benchmarks of drug response: DATA is a training folder (docs/models.md) that also holds the split files; it is not shipped.
# MEMBERS: networks in each ensemble; 4 as shipped, 0 spares two thirds of the time.
.PHONY: bench-drugs
drugs_out := .tools/bench/drug_response
drugs_bench := $(python) benchmarks/drug_response/bench.py
bench-drugs: MEMBERS ?= 4

bench-drugs: setup ## our drug response and its rivals on the same folds, patients, speed: make bench-drugs DATA=… [MEMBERS=4] (half an hour)
	mkdir -p $(drugs_out)
	$(python) bin/drug_response.py evaluate --data $(DATA) --folds $(DATA)/splits_lco.tsv --members $(MEMBERS) --output $(drugs_out)/lines_left_out.tsv
	$(drugs_bench) nested --data $(DATA) --members $(MEMBERS) --output $(drugs_out)/nested.tsv
	$(python) bin/drug_response.py evaluate --data $(DATA) --folds $(DATA)/splits_lto.tsv --members $(MEMBERS) --output $(drugs_out)/tissues_left_out.tsv
	$(drugs_bench) drugs --data $(DATA) --folds $(DATA)/splits_ldo.tsv --output $(drugs_out)/drugs_left_out.tsv
	$(drugs_bench) intervals --data $(DATA) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/intervals.tsv
	$(drugs_bench) masked --data $(DATA) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/masked.tsv
	$(drugs_bench) patients --output $(drugs_out)/patients.tsv
	$(drugs_bench) speed --output $(drugs_out)/speed.tsv
