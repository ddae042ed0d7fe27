#!/usr/bin/env bash
# Makes the training samples and trains the shipped small-variant model on them (some hours on two cores).
# train_model.sh DATA WORK MODEL: folder with references and truth; folder for the samples; model folder to write.
set -euo pipefail
data=$1 work=$2 model=$3
here=$(cd "$(dirname "$0")" && pwd)
python=$here/../../.venv/bin/python
table=$work/training.tsv

printf 'name\talignment\ttruth\tbed\treference\tuse\tfractions\n' >"$table.part"
while IFS=$'\t' read -r name use fractions worn_from wear wear_seed; do
    sample=${worn_from:-$name}
    "$python" "$here/simulate.py" sets --plan "$here/sets.tsv" --data "$data" --output "$work" --only "$sample"
    if [ -n "$worn_from" ] && [ ! -e "$work/$name.bam.bai" ]; then
        "$python" "$here/simulate.py" wear --alignment "$work/$sample.bam" --output "$work/$name.bam" --factor "$wear" --seed "$wear_seed"
    fi
    reference=$(awk -F'\t' -v name="$sample" '$1 == name {print $5}' "$work/SETS.tsv")
    printf '%s\t%s.bam\t%s.truth.vcf.gz\t%s.bed\t%s\t%s\t%s\n' "$name" "$name" "$sample" "$sample" "$(basename "$reference")" "$use" "$fractions" >>"$table.part"
done < <(tail -n +2 "$here/training.tsv")
mv "$table.part" "$table"
"$here/../../bin/small_variants.py" train --sets "$table" --output "$model" --name strandwise-short-reads --model-version 0.1.0 --epochs 12 --batch 1024
