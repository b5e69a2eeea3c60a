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

@test "logits that f32 cannot tell apart" {
    run clsoftmax run - <<<"100000001 100000002"
    [ "$output" = "0.268941432 0.731058598" ]
    run clsoftmax run - -T 0 <<<"100000001 100000002"
    [ "$output" = "0 1" ]
    run clsoftmax run - <<<"1e300 -1e300 1e300"
    [ "$output" = "0.5 0 0.5" ]
    run clsoftmax run - -T inf <<<"1 2 -1.797e308" # a mask
    [ "$output" = "0.5 0.5 0" ]
    run clsoftmax run - <<<"-1.797e308 -1.797e308" # a row of nothing else
    [ "$output" = "0.5 0.5" ]
    run clsoftmax run - --pos-inf limit <<<"1e300 inf 3"
    [ "$output" = "0 1 0" ]
    run clsoftmax plot - -T 1 <<<"100000001 100000002"
    [[ $output == *"0.2689"*"0.7311"* ]]
    run clsoftmax sweep - -T 0.5,1,2 <<<"100000001 100000002"
    [ "${lines[2]}" = "1 0 0.268941432 0.731058598" ]
    # f32 written as text, and as f8, gives the bits of the file
    reads_as '0.1 0.7 -0.3\n' '0.100000001 0.699999988 -0.300000012\n'
}

@test "statistics of logits in double precision are those of the logits as they were" {
    run clsoftmax run - --stats -T 4 <<<$'100000001 100000002\n3 1e39'
    [[ ${lines[1]} == "1 100000000 25000002 "* ]]
    [[ ${lines[2]} == "1 inf "* ]]
    run clsoftmax run - --stats -T 0 <<<$'-100000001 -100000002'
    [[ ${lines[1]} == "0 -100000000 -inf 0 1 1" ]]
    printf '2\nnan\n' >t.txt
    run clsoftmax run - --stats -T @t.txt <<<$'100000001 100000002\n100000001 100000002'
    [[ ${lines[1]} == "1 100000000 50000000 "* ]]
    [[ ${lines[2]} == *"100000000 nan nan nan nan"* ]]
    printf '0\n1\n' >labels.txt
    run clsoftmax run - --stats --labels labels.txt <<<$'100000001 100000002\n100000001 100000002'
    [[ ${lines[1]} == *" 1.313261"* && ${lines[2]} == *" 0.313261688" ]]
}

@test "double precision along any axis, in slabs, by any device, as NumPy's own" {
    command -v python3 >/dev/null && python3 -c 'import numpy' || skip "no NumPy"
    python3 - <<'PYTHON'
import numpy
x = 1e8 + numpy.random.default_rng(1).normal(size=(7, 9, 11)) * 3
numpy.save("x.npy", x)
numpy.save("f.npy", numpy.asfortranarray(x))
numpy.save("big.npy", x.astype(">f8"))
numpy.save("i.npy", numpy.round(x).astype("i8"))
PYTHON
    local axis name
    for axis in 0 1 2; do
        for name in x f big i; do
            clsoftmax run $name.npy --axis $axis -T 0.7 -o p-$name-$axis.npy --stats=s-$name-$axis.npy
            clsoftmax run $name.npy --axis $axis -T 0.7 -o q.npy --memory 20k
            cmp p-$name-$axis.npy q.npy
        done
        cmp p-x-$axis.npy p-f-$axis.npy
        cmp p-x-$axis.npy p-big-$axis.npy
        cmp s-x-$axis.npy s-f-$axis.npy
    done
    clsoftmax run x.npy --verify -o q.npy
    python3 - <<'PYTHON'
import numpy
for name in "xi":
    x = numpy.load(name + ".npy").astype("f8")
    for axis in range(3):
        z = (x - x.max(axis, keepdims=True)) / 0.7
        e = numpy.exp(z)
        p, s = numpy.load(f"p-{name}-{axis}.npy"), numpy.load(f"s-{name}-{axis}.npy")
        # what f32 differences lose (z to 2^-24 of itself), and one ULP
        assert (abs(p / (e / e.sum(axis, keepdims=True)) - 1) < abs(z) * 2.0**-23 + 2.0**-22).all(), (name, axis)
        assert (s["maximum"].reshape(-1) == x.max(axis).astype("f4").reshape(-1)).all()
PYTHON
}

@test "integers in .npy, where they are exact; bool labels; =f4; an array without dimensions as the temperature" {
    command -v python3 >/dev/null && python3 -c 'import numpy' || skip "no NumPy"
    python3 - <<'PYTHON'
import numpy
for dtype in "i1", "i2", "i4", "i8", "u1", "u4", "u8":
    numpy.save(dtype + ".npy", numpy.array([[1, 2, 3]], dtype))
numpy.save("far.npy", numpy.array([[0, 2**53 + 1]]))
numpy.save("mask.npy", numpy.array([[1, 2, -2**63]]))
numpy.save("t.npy", numpy.array([2], "i4"))
numpy.save("t-far.npy", numpy.array([2**24 + 1], "i4"))
numpy.save("t0.npy", numpy.float64(2))
numpy.save("t0-wrong.npy", numpy.float32(-2))
numpy.save("bool.npy", numpy.array([True]))
numpy.save("u2.npy", numpy.array([[1, 2, 3]], "u2"))
PYTHON
    for dtype in i1 i2 i4 i8 u1 u4 u8; do
        [ "$(clsoftmax run $dtype.npy)" = "0.0900305733 0.244728476 0.665240943" ]
    done
    run --separate-stderr clsoftmax run far.npy
    expect_error 2 "far.npy: element [0, 1]: " "is an integer that double precision does not hold"
    [ "$(clsoftmax run mask.npy)" = "0.268941432 0.731058598 0" ]
    [ "$(clsoftmax run i4.npy -T @t.npy)" = "$(clsoftmax run i4.npy -T 2)" ]
    run --separate-stderr clsoftmax run i4.npy -T @t-far.npy
    expect_error 2 "t-far.npy: element [0]: " "is an integer that f32 does not hold"
    printf '1 2\n3 5\n' >x.txt
    [ "$(clsoftmax run x.txt -T @t0.npy)" = "$(clsoftmax run x.txt -T 2)" ]
    run --separate-stderr clsoftmax run x.txt -T @t0-wrong.npy
    expect_error 2 "t0-wrong.npy: the temperature is a number from 0 to inf"
    [[ $(clsoftmax run i4.npy --labels bool.npy) == *"0 of 1 rows are right"* ]]
    run --separate-stderr clsoftmax run u2.npy
    expect_error 2 "two bytes of an unknown type; --input-dtype bf16"
    printf "\x93NUMPY\x01\x00\x76\x00%-117s\n" "{'descr': '=f4', 'fortran_order': False, 'shape': (1, 1), }" >x.npy
    printf 'abcd' >>x.npy
    [ "$(clsoftmax run x.npy)" = 1 ]
}

@test "labels: any whole number that is no class is no label, and one note counts them" {
    printf '1 2 3\n1 2 3\n1 2 3\n1 2 3\n' >x.txt
    printf '2\n-100\n255\n-1\n' >labels.txt
    run --separate-stderr clsoftmax run x.txt --labels labels.txt
    [ "$status" -eq 0 ]
    [ "$stderr" = "clsoftmax: note: 2 of 4 labels are none, since they are no class from 0 to 2" ]
    [[ ${lines[5]} == "# 1 of 1 rows are right, accuracy 1, mean negative log-likelihood 0.407605"*"; 3 more have no"* ]]
    printf '2\n1.5\n0\n0\n' >labels.txt
    run --separate-stderr clsoftmax run x.txt --labels labels.txt
    expect_error 2 "labels.txt: --labels: 1.5, the label of row 1, is not a whole number"
    printf '2\nnan\n0\n0\n' >labels.txt
    run --separate-stderr clsoftmax run x.txt --labels labels.txt
    expect_error 2 "labels.txt: --labels: nan, the label of row 1"
}

@test "--stats=FILE without -o writes the statistics alone" {
    printf '1 2\n3 5\n' >x.txt
    run --separate-stderr clsoftmax run x.txt --stats=s.npy
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    [ -s s.npy ]
    printf '1\n1\n' >labels.txt
    run clsoftmax run x.txt --stats=s.npy --labels labels.txt
    [[ $output == "# 2 of 2 rows are right, accuracy 1, mean negative log-likelihood "* ]]
    run --separate-stderr clsoftmax run x.txt --stats=s.npy --log
    expect_error 2 "--log: --stats takes the place of the results; -o FILE for both"
}

@test "--rows counts from the end as NumPy does; -T @ lacks a name" {
    seq -f '%g 1' 10 >x.txt
    clsoftmax run x.txt >all
    clsoftmax run x.txt --rows -2: | cmp - <(tail -n 2 all)
    clsoftmax run x.txt --rows :-3 | cmp - <(head -n 7 all)
    clsoftmax run x.txt --rows -4:-1 | cmp - <(sed -n 7,9p all)
    clsoftmax run x.txt --rows -100:2 | cmp - <(head -n 2 all)
    run --separate-stderr clsoftmax run x.txt --rows -1:-2
    expect_error 2 "--rows -1:-2: it takes A:B"
    run --separate-stderr clsoftmax run x.txt --rows 11:
    expect_error 2 "--rows: begins at 11, but the first axis of x.txt is 10 long"
    run --separate-stderr clsoftmax run x.txt -T @
    expect_error 2 "-T @: the name of a file is missing"
}

@test "f16 probabilities of many classes: a note offers bf16 and --log" {
    seq -s ' ' 16385 | sed 's/[0-9]*/0/g' >x.txt
    run --separate-stderr clsoftmax run x.txt --out-dtype f16 -o p.npy
    [ "$status" -eq 0 ]
    [[ $stderr == *"many of 16385 probabilities are too small for f16, and become 0; --out-dtype bf16"*"--log" ]]
    for option in "--out-dtype f16 --log" "--out-dtype bf16" ""; do
        # shellcheck disable=SC2086
        run --separate-stderr clsoftmax run x.txt $option -o p.npy
        [ -z "$stderr" ]
    done
}

@test "an environment variable that is wrong is named, and no option blamed" {
    run --separate-stderr env CLSOFTMAX_THREADS=0 "$CLSOFTMAX" run -d cpu - <<<"1 2"
    expect_error 2 'clsoftmax: CLSOFTMAX_THREADS is "0"; it takes a number from 1 to 1024'
    run --separate-stderr env CLSOFTMAX_CPU_ISA=sse "$CLSOFTMAX" run -d cpu - <<<"1 2"
    expect_error 2 'clsoftmax: CLSOFTMAX_CPU_ISA is "sse"'
}
