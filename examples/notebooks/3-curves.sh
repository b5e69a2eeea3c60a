#!/bin/sh
# How sensitive probabilities are to the temperature: curves, with the exact limits at T = 0 and T = inf.
. "$(dirname "$0")/notebook.sh"

echo "1 2 3" | clsoftmax sweep - -T 0,log:0.01:100:81,inf >curves.txt
echo "3 1 3" | clsoftmax sweep - -T 0,log:0.01:100:81,inf >ties.txt
curves curves "1 2 3" -T log:0.01:100:81
curves ties "3 1 3" -T log:0.01:100:81
