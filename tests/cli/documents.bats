# The documents: their commands run in every shell and locale, and docs/temperature.md and the notebooks show what the
# command prints.
bats_require_minimum_version 1.5.0
load helpers

# The locales have a comma where C has a point; in tr_TR the capital of i is no I.
setup_file() {
    local locale
    export LOCPATH=$BATS_FILE_TMPDIR/locales PREFIX=$BATS_FILE_TMPDIR/prefix KEPT=$BATS_FILE_TMPDIR/kept
    mkdir "$LOCPATH" "$KEPT"
    for locale in de_DE tr_TR; do
        ! command -v localedef >/dev/null || localedef -i $locale -f UTF-8 "$LOCPATH/$locale.UTF-8" &
    done
    cmake --install "$BUILD" --prefix "$PREFIX" >/dev/null
    wait
}

# commands SHELL LOCALE [DOCUMENT...]: runs the commands of the documents, or of all
commands() {
    LD_LIBRARY_PATH=$(dirname "$(find "$PREFIX" -name libclsoftmax.so)") LC_ALL=$2 \
        python3 "${CHECK-$SOURCE/tests/page/check_commands.py}" "$1" "${@:3}"
}

needs_shells() {
    local program
    needs_device
    ! is_sanitized || skip "AddressSanitizer"
    for program in zsh localedef "$BUILD/clsoftmax-mpi" "$BENCH"; do
        command -v "$program" >/dev/null || skip "no $program"
    done
    [ "$(LC_ALL=de_DE.UTF-8 "$(type -P printf)" %.1f 1,5)$(LC_ALL=tr_TR.UTF-8 "$(type -P printf)" %.1f 1,5)" = 1,51,5 ]
}

@test "the commands of every document run in bash and zsh, in C, de_DE and tr_TR, and print what it says" {
    needs_shells
    commands bash C >first || { cat first; false; } # leaves what the others need not make again
    export -f commands
    printf '%s\n' "zsh C" {bash,zsh}" "{de_DE,tr_TR}.UTF-8 |
        xargs -P "$(nproc)" -I{} bash -c 'commands {} >"{}" 2>&1 || { echo "{}:"; cat "{}"; exit 1; }'
    for file in *" "*; do
        echo "$file"
        diff first "$file"
    done
}

@test "the check of the commands sees what fails in one shell or locale alone, and entries of no use" {
    local shell locale why lines coldest
    needs_shells
    coldest='build/clsoftmax sweep logits.npy -T lin:1:5:41 --labels labels.npy | grep ^# | sort -g -k15 | head -n 1'
    while read -r shell locale why && IFS= read -r lines; do
        printf '\n%b\n' "$lines" >wrong.md
        run commands "$shell" "$locale" "$PWD/wrong.md"
        echo "$shell $locale: $output"
        [ "$status" -eq $((${#why} > 0)) ]
        [[ $output == *"$why"* ]]
    done <<CASES
bash C
    \$ $coldest | cut -d" " -f3\n    3.1:
bash de_DE.UTF-8 prints '1.1:'
    \$ $coldest | cut -d" " -f3\n    3.1:
bash C
    echo "1 2 3" | clsoftmax run - -o p[1].npy
zsh C no matches found: p[1].npy
    echo "1 2 3" | clsoftmax run - -o p[1].npy
bash C
    ./dev test   # builds
zsh C a comment is passed
    ./dev test   # builds
zsh C in a comment zsh's prompt waits
    # the reader's\n    ./dev test
bash C fails: ./dev tests
    ./dev tests
bash C Total Tests: 0
    ctest --test-dir build -R '^clj_run$'
bash C nothing.npy: No such file
    clsoftmax run nothing.npy | cat
CASES
    CHECK=$PWD/check.py
    sed 's|^STAND_INS = {|&"build/threads": "",|; s|^NOT_COMMANDS = {|&"README.md: y": "",|' \
        "$SOURCE/tests/page/check_commands.py" >"$CHECK"
    run commands bash C
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$output" = "no document has README.md: y; build/threads" ]
}

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
    for file in $(grep -oh 'pictures/[a-z-]*\.[a-z]*' "$SOURCE"/docs/{temperature,training}.md); do
        [ -s "$SOURCE/docs/$file" ]
    done
}
