# tests/coverage.py on a source of a few lines: which branches it lets pass, and which not.
bats_require_minimum_version 1.5.0
load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    command -v python3 >/dev/null || skip "./dev coverage installs python3"
    mkdir lib
    cat >lib/sign.c <<'TEXT'
int sign(int x)
{
    if (x < 0)
        return -1;
    return x > 0;
}
TEXT
    printf 'int sign(int); int main(int count, char **words) { (void)words; return sign(count - 2) > 1; }\n' >main.c
    : >explained.txt
}

# build NAME: compiles an object of the source that counts, and links a program with it
build() {
    mkdir -p objects
    gcc -O0 --coverage -c lib/sign.c -o "objects/$1.o"
    gcc main.c "objects/$1.o" --coverage -o "$1"
}

check() {
    run "$SOURCE/tests/coverage.py" objects explained.txt lib
    echo "$output"
}

@test "a branch that is never taken fails, and is named" {
    build one
    ./one
    check
    [ "$status" -eq 1 ]
    [[ $output == *"lib/sign.c:3: 1 of 2 branches never taken: if (x < 0)"* ]]
    [[ $output == *"1 to be tested or explained"* ]]
    [[ $output == *"3 of     4   75.0       1 of     2   50.0  lib/sign.c"* ]]
}

@test "a branch with its reason passes; a reason without a branch fails" {
    build one
    ./one
    printf '# why\n\nlib/sign.c: 1 of 2: if (x < 0)\n    nobody calls it\n    with more\n' >explained.txt
    check
    [ "$status" -eq 0 ]
    ./one more words
    check
    [ "$status" -eq 1 ]
    [[ $output == *"no such branch, or no reason: lib/sign.c: 1 of 2: if (x < 0)"* ]]
}

@test "an empty reason fails, and so does a line of another form" {
    build one
    ./one
    printf 'lib/sign.c: 1 of 2: if (x < 0)\n' >explained.txt
    check
    [ "$status" -eq 1 ]
    printf 'lib/sign.c: nobody calls it\n' >explained.txt
    check
    [ "$status" -eq 1 ]
    [[ $output == *"explained.txt:1: "* ]]
}

@test "a source that is compiled twice counts once" {
    build one
    build other
    ./one
    ./other more words
    check
    [ "$status" -eq 0 ]
    [[ $output == *"2 of     2  100.0  lib/sign.c"* ]]
}

@test "a source that nothing has run fails, and so does a folder without sources" {
    build one
    check
    [ "$status" -eq 1 ]
    [[ $output == *"2 of 2 branches never taken"* ]]
    rm -r objects
    check
    [ "$status" -eq 1 ]
}
