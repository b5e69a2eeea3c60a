#!/bin/sh
# What a teacher says of a 4 at a higher temperature, and how far a student is from it: docs/training.md.
. "$(dirname "$0")/notebook.sh"

clsoftmax plot "$data/digits_val_logits.npy" --row 3 -T 1,2,4,10 -o teacher.svg
clsoftmax plot "$data/digits_val_logits.npy" --row 3 -T 1,2,4,10 -o teacher-dark.svg --dark
echo "1 2 3" >student.txt
echo "3 1 2" >teacher.txt
for temperature in 1 4 20 100 1000; do
    echo "T = $temperature: $(clsoftmax distill student.txt teacher.txt -T $temperature | head -n 1)"
done >divergence.txt
