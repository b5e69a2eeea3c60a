# Text files as people have them: how lines end, what separates values, comments, headers, what other programs write for
# numbers. Where a text can mean two things, the command says so, and computes nothing.
bats_require_minimum_version 1.5.0
load helpers

# reads_as EXPECTED TEXT OPTION...: the text (printf's) gives the results of the expected one, whose values stand between
# spaces
reads_as() {
    printf "$1" | clsoftmax run - >expected.out
    printf "$2" | clsoftmax run - "${@:3}" >found.out
    cmp expected.out found.out || { echo "$2"; cat found.out; return 1; }
}

# refused STATUS WORDS TEXT OPTION...: the text is an error that has the words
refused() {
    printf "$3" >refused.txt
    run --separate-stderr clsoftmax run refused.txt "${@:4}"
    expect_error "$1" "refused.txt: $2"
}

@test "text: CR, LF and both end a line" {
    reads_as '1 2 3\n4 5 7\n' '1,2,3\r4,5,7\r'
    reads_as '1 2 3\n4 5 7\n' '1,2,3\r4,5,7'
    reads_as '1 2 3\n4 5 7\n' '1,2,3\r\n4,5,7\r\n'
    reads_as '1 2 3\n4 5 7\n8 8 9\n' '1 2 3\n4 5 7\r8 8 9\r\n'
    printf '0.5\r2\r' >t.txt # temperatures
    printf '1 2\n3 5\n' | clsoftmax run - -T @t.txt >found.out
    printf '0.5\n2\n' >t.txt
    printf '1 2\n3 5\n' | clsoftmax run - -T @t.txt | cmp - found.out
    printf 'cat\rdog\r' >names.txt
    printf '1 2\n' >x.txt
    clsoftmax plot x.txt -T 1 --class-names names.txt >found.out
    printf 'cat\ndog\n' >names.txt
    clsoftmax plot x.txt -T 1 --class-names names.txt | cmp - found.out
}

@test "text: a comment begins at the start of a line or behind a space" {
    reads_as '1 2\n3 4\n' '# title\n1 2 # first\n3 4\t#second\n#end\n'
    refused 2 'line 1, value 3: "#N/A" is not a number' '1,2,#N/A\n3,4,5\n'
    refused 2 'line 2, value 1: "3#" is not a number' '1 2\n3# 4\n'
    refused 2 'line 1, value 2: "#VALUE!" is not a number' '1;#VALUE!\n'
    for option in -T@ --labels=; do
        printf '1 2\n3 4\n' >x.txt
        printf '1\n0,#N/A\n' >numbers.txt
        run --separate-stderr clsoftmax run x.txt "${option}numbers.txt"
        expect_error 2 'numbers.txt: line 2, value 2: "#N/A"'
    done
}

@test "text: what Microsoft's C library writes for inf and nan" {
    reads_as '2 3 -inf\n1 2 3\n' '2 3 -1.#INF\n1 2 3\n'
    reads_as '2 nan 3 -inf\n' '2,1.#QNAN,3,-1.#INF00\n'
    reads_as '2 nan\n2 nan\n2 nan\n2 nan\n' '2 -1.#IND\n2 1.#ind00\n2 1.#SNAN0\n2 -1.#QNAN\n'
    reads_as '1.5 -inf\n' '1,5;-1,#INF\n' --decimal comma
    refused 2 'line 1, value 2: "1.#INFO" is not a number' '1 1.#INFO\n'
    refused 2 'line 1, value 1: "2.#INF" is not a number' '2.#INF 1\n'
}

@test "text: a file has one delimiter" {
    for text in '1,2,3\n4,5,7\n' '1, 2 ,3\n 4\t,5,7\n' '1;2;3\n4 ; 5;7\n' '1\t2\t3\n4 \t 5\t7\n' '1  2 3\n 4 5   7 \n'; do
        reads_as '1 2 3\n4 5 7\n' "$text"
    done
    reads_as '1\n2\n' '1\n2\n'
    refused 2 "line 1: commas and spaces both separate values; --delimiter says which do, and --decimal comma" \
        '1,5 2,5 3,5\n'
    refused 2 "line 1: commas and spaces both" '1,000.5 2,000.5\n'
    refused 2 "line 1: tabs and spaces both separate values; --delimiter says which do" '1\t2 3\n'
    refused 2 "line 2: commas and semicolons both" '1;2\n3,4\n'
    refused 2 "line 2: spaces and tabs both" '1\t2\n3 4\n'
    refused 2 "line 1: value 2 is missing" '1,,3\n'
    refused 2 "line 1: value 3 is missing" '1;2;\n'
    refused 2 "line 1: value 2 is missing" '1\t\t3\n'
    reads_as '1 2 3\n' '1 2\t3\n' --delimiter space
    reads_as '1 2\n' '1\t2\n' --delimiter tab
    refused 2 'line 1, value 1: "1 2" is not a number' '1 2,3\n' --delimiter comma
    run --separate-stderr clsoftmax run - --delimiter colon <<<"1:2"
    expect_error 2 "--delimiter colon: it takes one of comma, semicolon, tab, space"
}

@test "text: decimal commas" {
    reads_as '1.5 2.5 3.5\n' '1,5;2,5;3,5\n' --decimal comma
    reads_as '1.5 2.5 3\n' '1,5\t2,5\t3\n' --decimal comma
    reads_as '1.5 2.5 -3e-2\n' '1,5 2,5 -3e-2\n' --decimal comma
    refused 2 'line 1, value 1: "1.5" is not a number with a decimal comma' '1.5;2,5\n' --decimal comma
    refused 2 'line 1, value 2: "1,000,5" is not a number' '1;1,000,5\n' --decimal comma
    refused 2 'line 1, value 1: "1,5" is not a number; --decimal comma reads' '1,5 2,5\n' --delimiter space
    run --separate-stderr clsoftmax run - --decimal comma --delimiter comma <<<"1"
    expect_error 2 "--decimal comma: then commas cannot separate values"
}

@test "text: blank lines are nothing at the end, and an error in between" {
    reads_as '1 2\n3 4\n' '1 2\n3 4\n\n  \n\t\n'
    reads_as '1 2\n3 4\n' '1 2\n#\n3 4\n\n# end\n\n'
    refused 2 "line 4: a row behind line 2, which is blank" '1 2\n\n\n3 4\n'
    printf 'cat\ndog\n\n' >names.txt
    printf '1 2\n' >x.txt
    clsoftmax plot x.txt -T 1 --class-names names.txt | grep -q dog
}

@test "text: a byte order mark, suffixes in any case, .tsv" {
    reads_as '1 2\n' '\xef\xbb\xbf1 2\n'
    printf '\xef\xbb\xbf1\t2\n' >x.TSV
    printf '\xef\xbb\xbf0\n' >labels.Txt
    clsoftmax run x.TSV --labels labels.Txt
    printf '\xef\xbb\xbfcat\ndog\n' >names.txt
    clsoftmax plot x.TSV -T 1 --class-names names.txt >bars
    grep -q '^ *cat' bars
    cp "$SOURCE/tests/data/digits_val_logits.npy" X.NPY
    clsoftmax run X.NPY -o P.NPY
}

@test "text: a header" {
    refused 2 'line 1: no number in "cat,big dog"; if it is a header, --header takes it' 'cat,big dog\n1,2\n'
    reads_as '1 2\n' 'cat,big dog\n1,2\n' --header
    reads_as '1 2\n' '# title\n"a, ""b""";c\n1;2\n' --header
    reads_as '1 2\n' '10 20\n1 2\n' --header # names that are numbers
    refused 2 "the header has 3 names, but the rows have 2 values" 'a b c\n1 2\n' --header
    printf 'cat,"a, ""b""; 100%%"\n1,2\n' >x.csv
    clsoftmax plot x.csv --header -T 1 >bars
    grep -q 'cat' bars
    grep -qF 'a, "b"; 100%' bars
    printf 'label\n1\n' >labels.txt # a file with a number for each row may have one
    clsoftmax run x.csv --header --labels labels.txt
    run --separate-stderr clsoftmax run "$SOURCE/tests/data/digits_val_logits.npy" --header
    expect_error 2 "--header is for text files"
}
