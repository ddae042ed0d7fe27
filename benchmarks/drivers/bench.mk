# Driver ranking beside its rivals. DATA: folder with cohorts/CODE.maf.tsv.gz and truth/intogen_2020_{by_type,any}.tsv.
.PHONY: bench-drivers
drivers_out := .tools/bench/drivers

bench-drivers: setup ## our driver ranking and its rivals on the same cohorts, neutral cohorts, planted genes: make bench-drivers DATA=… (half an hour)
	$(python) benchmarks/drivers/bench.py accuracy --data $(DATA) --output $(drivers_out)
	$(python) benchmarks/drivers/bench.py prior --data $(DATA) --output $(drivers_out)
	$(python) benchmarks/drivers/bench.py neutral --data $(DATA) --output $(drivers_out)
	$(python) benchmarks/drivers/bench.py power --data $(DATA) --output $(drivers_out)
	$(python) benchmarks/drivers/bench.py panels --data $(DATA) --output $(drivers_out)
	$(python) benchmarks/drivers/bench.py time --data $(DATA) --output $(drivers_out)
	$(python) benchmarks/drivers/pictures.py --tables $(drivers_out) --pictures docs/images
