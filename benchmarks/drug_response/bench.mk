# Benchmarks of drug response: DATA is a training folder (docs/models.md) that also holds the split files; it is not shipped.
# MEMBERS: networks in each ensemble; 4 as shipped, 0 spares a third of the time. Each part can be made by itself, and make -j runs them side by side.
# XGBoost, far behind on lines left out, is not run on the nineteen tissues: it would take as long as all else there.
drugs_parts := $(addprefix bench-drugs-,lines nested tissues drugs intervals masked platforms patients speed)
.PHONY: bench-drugs $(drugs_parts)
drugs_out := .tools/bench/drug_response
drugs_evaluate = $(python) bin/drug_response.py evaluate --data $(DATA) --members $(MEMBERS)
drugs_bench = $(python) benchmarks/drug_response/bench.py
MEMBERS ?= 4

bench-drugs: $(drugs_parts) ## our drug response and its rivals on the same folds, patients, speed: make bench-drugs DATA=… [MEMBERS=4] (half an hour of CPU)

$(drugs_parts): setup | $(drugs_out)
$(drugs_out):
	mkdir -p $@

bench-drugs-lines:
	$(drugs_evaluate) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/lines_left_out.tsv
bench-drugs-nested:
	$(drugs_bench) nested --data $(DATA) --members $(MEMBERS) --output $(drugs_out)/nested.tsv
bench-drugs-tissues:
	$(drugs_evaluate) --folds $(DATA)/splits_lto.tsv --without XGBoost --output $(drugs_out)/tissues_left_out.tsv
bench-drugs-drugs:
	$(drugs_bench) drugs --data $(DATA) --folds $(DATA)/splits_ldo.tsv --output $(drugs_out)/drugs_left_out.tsv
bench-drugs-intervals:
	$(drugs_bench) intervals --data $(DATA) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/intervals.tsv
bench-drugs-masked:
	$(drugs_bench) masked --data $(DATA) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/masked.tsv
bench-drugs-platforms:
	$(drugs_bench) platforms --data $(DATA) --members $(MEMBERS) --output $(drugs_out)/platforms.tsv
bench-drugs-patients:
	$(drugs_bench) patients --output $(drugs_out)/patients.tsv
bench-drugs-speed:
	$(drugs_bench) speed --output $(drugs_out)/speed.tsv
