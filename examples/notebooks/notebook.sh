# What the notebooks share. Each of them sources this file with its argument, the folder that everything goes into.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
program=${CLSOFTMAX-$(cd "$(dirname "$0")/../.." && pwd)/build/clsoftmax}
data=$(cd "$(dirname "$0")/../../tests/data" && pwd)
mkdir -p "$1"
cd "$1"

clsoftmax() { "$program" "$@"; }

# bars NAME LOGITS OPTION...: draws bars into NAME.svg for white pages and NAME-dark.svg for dark ones
bars() {
    name=$1 logits=$2
    shift 2
    echo "$logits" | clsoftmax plot - "$@" -o "$name.svg"
    echo "$logits" | clsoftmax plot - "$@" -o "$name-dark.svg" --dark
}

# curves NAME LOGITS OPTION...: draws curves into the same two files
curves() {
    name=$1 logits=$2
    shift 2
    echo "$logits" | clsoftmax sweep - "$@" --plot "$name.svg"
    echo "$logits" | clsoftmax sweep - "$@" --plot "$name-dark.svg" --dark
}
