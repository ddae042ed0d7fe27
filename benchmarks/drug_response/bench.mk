# Benchmarks of drug response: DATA is a training folder (docs/models.md) that also holds the split files; it is not shipped.
.PHONY: bench-drugs
drugs_out := .tools/bench/drug_response

bench-drugs: setup ## our drug response and its rivals on the same folds, patients, speed: make bench-drugs DATA=… (an hour)
	mkdir -p $(drugs_out)
	$(python) bin/drug_response.py evaluate --data $(DATA) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/lines_left_out.tsv
	$(python) bin/drug_response.py evaluate --data $(DATA) --folds $(DATA)/splits_lto.tsv --output $(drugs_out)/tissues_left_out.tsv
	$(python) benchmarks/drug_response/bench.py drugs --data $(DATA) --folds $(DATA)/splits_ldo.tsv --output $(drugs_out)/drugs_left_out.tsv
	$(python) benchmarks/drug_response/bench.py intervals --data $(DATA) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/intervals.tsv
	$(python) benchmarks/drug_response/bench.py masked --data $(DATA) --folds $(DATA)/splits_lco.tsv --output $(drugs_out)/masked.tsv
	$(python) benchmarks/drug_response/bench.py patients --output $(drugs_out)/patients.tsv
	$(python) benchmarks/drug_response/bench.py speed --output $(drugs_out)/speed.tsv
