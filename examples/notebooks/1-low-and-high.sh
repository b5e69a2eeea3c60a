#!/bin/sh
# Low and high temperatures, from probabilities: their logarithms are the logits, so T = 1 gives them back.
. "$(dirname "$0")/notebook.sh"

echo "0.25 0.75" | clsoftmax sweep - --probabilities -T 0,0.1,0.5,1,2,5,100,inf >low-and-high.txt
echo "0.25 0.75" | clsoftmax sweep - --probabilities -T 0,0.1,0.5,1,2,5,100,inf --stats >low-and-high-entropy.txt
bars low-and-high "0.25 0.75" --probabilities -T 0.1,0.5,1,2,5
