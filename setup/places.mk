# Targets about where the pipeline runs: images, engines, clusters.
.PHONY: images push demo-docker test-slurm archive

images: ## build the images; starts a private Docker engine where none runs (REGISTRY=… names them, BASE=… the base image)
	@containers/build.sh

push: ## publish the images: make push REGISTRY=ghcr.io/my-lab/strandwise [DRY_RUN=1 prints the commands]
	@REGISTRY='$(REGISTRY)' containers/push.sh $(if $(DRY_RUN),--dry-run)

demo-docker: setup images ## the demo with -profile docker and with -profile local, compared
	@tests/places/demo_docker.sh

test-slurm: setup ## the test profile on a real SLURM cluster of two nodes on this machine, compared with local (root; slurm-wlm, munge)
	@tests/places/slurm/run.sh

archive: setup ## one file with code, images, models and test data for a machine without network
	@setup/archive.sh
