# The germline caller beside its peers. DATA: folder with references, truth and real reads (LICENSE-DATA.md says whence).
.PHONY: bench-given bench-phasing bench-germline bench-germline-cost bench-trio germline-reliability
germline := benchmarks/germline
germline_sets ?= .tools/bench/germline

bench-germline: setup ## our germline caller and its peers on the same reads: make bench-germline DATA=… [GATK='command of GATK'] (an hour)
	$(python) $(germline)/simulate.py sets --plan $(germline)/sets.tsv --data $(DATA) --output $(germline_sets) --only test --only real
	$(python) $(germline)/run.py call --sets $(germline_sets)/SETS.tsv --output $(germline_sets)/calls $(if $(GATK),--gatk '$(GATK)')
	$(python) $(germline)/run.py score --sets $(germline_sets)/SETS.tsv --output $(germline_sets)/calls

bench-germline-cost: setup ## how the cost of our caller grows, and two shards on two cores: make bench-germline-cost DATA=… (ten minutes)
	$(python) $(germline)/simulate.py sets --plan $(germline)/sets.tsv --data $(DATA) --output $(germline_sets) --only cost --only test_10x --only test_30x_1 --only test_60x
	$(python) $(germline)/cost.py sizes --sets $(germline_sets)/SETS.tsv --output $(germline_sets)/cost
	$(python) $(germline)/cost.py shards --sets $(germline_sets)/SETS.tsv --output $(germline_sets)/cost
	$(python) $(germline)/cost.py picture --output $(germline_sets)/cost

bench-given: setup ## given alleles by us and the peers, and at several priors: make bench-given DATA=… [GATK='command of GATK'] (ten minutes)
	$(python) $(germline)/simulate.py sets --plan $(germline)/sets.tsv --data $(DATA) --output $(germline_sets) --only test_10x --only test_30x_1 --only tune
	for name in test_10x test_30x_1; do \
	  $(python) $(germline)/given.py peers --fasta $(germline_sets)/grch38.chr20_0_10mb.fa --bam $(germline_sets)/$$name.bam \
	    --truth $(germline_sets)/$$name.truth.vcf.gz --output $(germline_sets)/given/$$name $(if $(GATK),--gatk '$(GATK)') || exit 1; \
	done
	$(python) $(germline)/given.py priors --sets $(germline_sets)/SETS.tsv --only tune_10x --only tune_planted_10x --only tune_hard_15x \
	  --only tune_real_like_8x --only tune_30x --only tune_planted_30x --only tune_noise_30x

bench-phasing: setup ## phasing of our calls, the peers' and the true genotypes against the haplotypes, after bench-germline (ten minutes)
	$(python) $(germline)/phasing.py --sets $(germline_sets)/SETS.tsv --calls $(germline_sets)/calls --output $(germline_sets)/phasing --only test_30x_1 --only test_10x --only test_60x

germline_model ?= assets/models/small_variants
germline-reliability: setup ## reliability.tsv of a model from held-out reads, after each change of its weights: make germline-reliability DATA=… [germline_model=…] (ten minutes)
	$(python) $(germline)/simulate.py sets --plan $(germline)/sets.tsv --data $(DATA) --output $(germline_sets) --only heldout
	$(python) $(germline)/calibration.py --sets $(germline_sets)/SETS.tsv --model $(germline_model)

bench-trio: setup ## four simulated trios with de novo variants, each alone and together, peers beside us: make bench-trio DATA=… [GATK='command of GATK'] (four hours)
	for seed in 1 2 3 4; do $(python) $(germline)/trio.py reads --data $(DATA) --output $(germline_sets)/trio_$$seed --coverage 30 --coverage 15 --seed $$seed \
	  && $(python) $(germline)/trio.py call --folder $(germline_sets)/trio_$$seed --coverage 30 --coverage 15 $(if $(GATK),--gatk '$(GATK)') \
	  && $(python) $(germline)/trio.py score --folder $(germline_sets)/trio_$$seed --coverage 30 --coverage 15 || exit 1; done
	$(python) $(germline)/trio.py cohort --folder $(germline_sets)/trio_1
