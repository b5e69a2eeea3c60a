#!/bin/sh
# Logits whose exponentials no f32 holds, and a page with a slider for the temperature. The files after that are of real
# logits.
. "$(dirname "$0")/notebook.sh"

echo "1000 1001 1002" | clsoftmax sweep - -T 0.5,1,2 >stable.txt
echo "1000 1001 1002" | clsoftmax sweep - -T 0.5,1,2 --stats >stable-log-sum-exp.txt
clsoftmax explore -o temperature.html

clsoftmax explore "$data/digits_val_logits.npy" --labels "$data/digits_val_labels.npy" -o digits.html
clsoftmax sweep "$data/digits_val_logits.npy" -T lin:1:5:41 --labels "$data/digits_val_labels.npy" | grep '^#' >digits-fit.txt
clsoftmax plot "$data/digits_val_logits.npy" --row 12 -T 1,3.05,10 -o digits.svg
clsoftmax plot "$data/digits_val_logits.npy" --row 12 -T 1,3.05,10 -o digits-dark.svg --dark
