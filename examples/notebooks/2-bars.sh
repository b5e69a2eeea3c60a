#!/bin/sh
# The logits 10, 20 and 30 at five temperatures, as a table and as bars.
. "$(dirname "$0")/notebook.sh"

echo "10 20 30" | clsoftmax sweep - -T 1,10,20,30,100 >bars.txt
bars bars "10 20 30" -T 1,10,20,30,100
