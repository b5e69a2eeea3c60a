# docs/temperature.md and the notebooks show what the command prints.
bats_require_minimum_version 1.5.0
load helpers

document() { (cd "$SOURCE" && python3 tests/page/check_document.py "$@"); }

@test "the commands that docs/temperature.md quotes print what it says, and its text has no other numbers" {
    run document docs/temperature.md
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the check sees a document that is wrong" {
    local pattern why
    while IFS='|' read -r pattern why; do
        sed "$pattern" "$SOURCE/docs/temperature.md" >wrong.md
        ! cmp -s "$SOURCE/docs/temperature.md" wrong.md
        run document "$PWD/wrong.md"
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *"$why"* ]]
    done <<'CASES'
s/0.366025418/0.366025419/|the document says
s/^they are nearly even/&/;s/0.445 and/0.446 and/|0.446 stands in the text
s/run -T 1 -/run -T 2 -/|the document says
/^    inf 0 0.5 0.5/d|the document says
s/clsoftmax run -T 1 -/clsoftmax run -T x -/|-T x
CASES
}

@test "the notebooks make all of their files; the pictures in docs have the same texts" {
    local notebook file
    export CLSOFTMAX CLSOFTMAX_DEVICE=cpu
    for notebook in "$SOURCE"/examples/notebooks/[1-9]*.sh; do
        run "$notebook" out
        echo "$notebook: $output"
        [ "$status" -eq 0 ]
        [ -z "$output" ]
        run "$notebook"
        [ "$status" -eq 2 ]
    done
    [ "$(cut -d' ' -f3- out/stable.txt | sed -n 3p)" = "0.0900305733 0.244728476 0.665240943" ]
    [ "$(wc -l <out/digits-fit.txt)" -eq 41 ]
    [ "$(LC_ALL=C sort -g -k15 out/digits-fit.txt | head -n 1 | cut -d' ' -f3)" = 3.1: ]
    python3 "$SOURCE/tests/page/check_numbers.py" out/temperature.html
    for file in out/*.svg; do
        texts "$file" >made
        texts "$SOURCE/docs/pictures/${file##*/}" >kept
        diff kept made
        [ -s made ]
    done
    for file in $(grep -o 'pictures/[a-z-]*\.[a-z]*' "$SOURCE/docs/temperature.md"); do
        [ -s "$SOURCE/docs/$file" ]
    done
}
