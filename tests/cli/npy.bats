# .npy files: those that must be read, and every kind of malformed file, which must be refused.
bats_require_minimum_version 1.5.0
load helpers

# The numbers 1 to 6 as f4, little-endian and big-endian, and as f8.
F4='\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40\x00\x00\xa0\x40\x00\x00\xc0\x40'
F4_BIG='\x3f\x80\x00\x00\x40\x00\x00\x00\x40\x40\x00\x00\x40\x80\x00\x00\x40\xa0\x00\x00\x40\xc0\x00\x00'
F8='\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\x08\x40\0\0\0\0\0\0\x10\x40\0\0\0\0\0\0\x14\x40\0\0\0\0\0\0\x18\x40'
ROW_3="0.0900305733 0.244728476 0.665240943"

@test "versions 1.0, 2.0 and 3.0" {
    for version in 1 2 3; do
        npy x.npy '<f4' False '(2, 3)' $version
        printf "$F4" >>x.npy
        run --separate-stderr clsoftmax run x.npy
        [ "$output" = "$ROW_3"$'\n'"$ROW_3" ]
        [ -z "$stderr" ]
    done
}

@test "big-endian, f8, Python 2's long integers, double quotes, any order of keys" {
    npy x.npy '>f4' False '(2, 3)'
    printf "$F4_BIG" >>x.npy
    run --separate-stderr clsoftmax run x.npy
    [ "${lines[0]}" = "$ROW_3" ]
    npy x.npy '<f8' False '(2, 3)'
    printf "$F8" >>x.npy
    run --separate-stderr clsoftmax run x.npy
    [ "${lines[1]}" = "$ROW_3" ]
    [ -z "$stderr" ]
    npy_raw x.npy 1 '{"shape":(2L,3L),"fortran_order":False,"descr":"<f4"}'
    printf "$F4" >>x.npy
    run --separate-stderr clsoftmax run x.npy
    [ "${lines[0]}" = "$ROW_3" ]
}

@test "Fortran order is transposed; 1-D is one row; N-D runs along the last axis" {
    npy x.npy '<f4' True '(2, 3)' # columns 1 2, 3 4, 5 6
    printf "$F4" >>x.npy
    run --separate-stderr clsoftmax run -T 2 x.npy
    [ "$output" = "$ROW_3"$'\n'"$ROW_3" ]
    npy x.npy '<f4' False '(6,)'
    printf "$F4" >>x.npy
    run --separate-stderr clsoftmax run x.npy
    [ "$(wc -w <<<"$output")" -eq 6 ]
    [ "${#lines[@]}" -eq 1 ]
    npy x.npy '<f4' False '(1, 2, 3)'
    printf "$F4" >>x.npy
    run --separate-stderr clsoftmax run x.npy -o p.npy
    grep -aq "'shape': (1, 2, 3), }" p.npy
    npy x.npy '<f4' True '(1, 2, 3)' # 3-D, first index fastest
    printf "$F4" >>x.npy
    run --separate-stderr clsoftmax run -T 2 x.npy
    [ "$output" = "$ROW_3"$'\n'"$ROW_3" ]
}

@test "an array without rows gives a file without rows" {
    npy x.npy '<f4' False '(0, 3)'
    run --separate-stderr clsoftmax run x.npy -o p.npy
    [ "$status" -eq 0 ]
    grep -aq "'shape': (0, 3), }" p.npy
    [ "$(wc -c <p.npy)" -eq 128 ]
}

@test "files that were written are read back" {
    npy x.npy '<f4' False '(2, 3)'
    printf "$F4" >>x.npy
    clsoftmax run x.npy -o p.npy
    run --separate-stderr clsoftmax run --probabilities p.npy
    [[ ${lines[0]} == "0.0900305"*" 0.244728"*" 0.66524"* ]]
}

@test "NumPy reads what is written, and files of NumPy are read: every order, dtype and column" {
    needs_numpy
    python - <<'PYTHON'
import numpy
x = numpy.arange(24).reshape(2, 3, 4) % 7
for name, array in {"f2": x.astype("f2"), "f4": x.astype("<f4"), "big": x.astype(">f4"), "f8": x.astype("f8"),
                    "fortran": numpy.asfortranarray(x.astype("f4"))}.items():
    numpy.save(name + ".npy", array)
PYTHON
    for name in f2 f4 big f8 fortran; do
        clsoftmax run $name.npy --axis 1 -T 2 -o p-$name.npy --stats=s-$name.npy 2>/dev/null
    done
    python - <<'PYTHON'
import numpy
x = numpy.arange(24).reshape(2, 3, 4) % 7
e = numpy.exp((x - x.max(1, keepdims=True)) / 2)
for name in "f2", "f4", "big", "f8", "fortran":
    p, s = numpy.load("p-%s.npy" % name), numpy.load("s-%s.npy" % name)
    assert p.shape == x.shape and p.dtype == "<f4", (name, p.shape, p.dtype)
    assert numpy.abs(p - e / e.sum(1, keepdims=True)).max() < 1e-7, name
    assert (s["argmax"] == x.argmax(1).ravel()).all() and (s["maximum"] == x.max(1).ravel()).all(), name
PYTHON
}

@test "bytes behind the array are ignored with a note" {
    npy x.npy '<f4' False '(2, 3)'
    printf "${F4}more" >>x.npy
    run --separate-stderr clsoftmax run x.npy
    [ "$status" -eq 0 ]
    [ "$stderr" = "clsoftmax: x.npy: note: 4 bytes behind the array are ignored" ]
}

@test "the error of an f8 temperature that f4 cannot hold names its place" {
    npy t.npy '<f8' False '(1, 2, 2)'
    printf '\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x10\x48' >>t.npy
    run --separate-stderr clsoftmax run - -T @t.npy <<<$'1 2\n1 2\n1 2\n1 2'
    [ "$status" -eq 2 ]
    [[ $stderr == *"t.npy: element [0, 1, 1]: "*"is finite, but larger than f32 holds" ]]
}

@test "the error of a negative probability names its place" {
    npy x.npy '<f4' False '(2,)'
    printf '\x00\x00\x80\x3f\x00\x00\x80\xbf' >>x.npy
    run --separate-stderr clsoftmax run --probabilities x.npy
    expect_error 2 "x.npy: element [1]: -1 is negative"
}

@test "malformed headers are refused, with the reason" {
    local version header why
    while IFS='~' read -r version header why; do
        npy_raw x.npy "$version" "$header"
        printf "$F4" >>x.npy
        run --separate-stderr clsoftmax run x.npy -o p.npy
        expect_error 2 "x.npy: $why"
        [ ! -e p.npy ]
    done <<'CASES'
4~{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }~an .npy version other than
1~'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)~the header is not a dictionary
1~{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)~the header is not a dictionary
1~{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)}~the header is not a dictionary
1~{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} {}~the header goes on
1~{'descr': '<f4', 'fortran_order': False}~the header lacks
1~{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (2, 3)}~the header has a key twice
1~{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}~the header has a key other than
1~{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}~fortran_order is neither
1~{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3]}~the shape is not a tuple
1~{'descr': '<f4', 'fortran_order': False, 'shape': (6)}~the shape is a number
1~{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}~the shape is not a tuple of whole numbers
1~{'descr': '<f4', 'fortran_order': False, 'shape': (True, 3)}~the shape is not a tuple of whole numbers
1~{'descr': '<f4', 'fortran_order': False, 'shape': (2.0, 3)}~the shape is not a tuple
3~{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L)}~the shape is not a tuple
1~{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3)}~a size in the shape is too large
1~{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}~the shape has more elements
1~{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0)}~the shape has more elements
1~{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,6)}~the shape has more than 32
1~{'descr': '<f4', 'fortran_order': False, 'shape': ()}~a single number
1~{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}~dtype '|O'
1~{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3)}~dtype '<c8'
1~{'descr': '<V2', 'fortran_order': False, 'shape': (2, 3)}~dtype '<V2': two bytes of an unknown type; --input-dtype bf16
1~{'descr': '<f3', 'fortran_order': False, 'shape': (2, 3)}~dtype '<f3'
1~{'descr': '?f4', 'fortran_order': False, 'shape': (2, 3)}~dtype '?f4'
1~{'descr': '', 'fortran_order': False, 'shape': (2, 3)}~dtype ''
1~{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}~the dtype (descr) is not a plain one
1~{'descr': '<f4<f4<f4<f4<f4<f4', 'fortran_order': False, 'shape': (2, 3)}~the dtype (descr) is not a plain one
1~{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}~the file ends too early
1~{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}~the shape has more elements
1~{'descr': '<f4', 'fortran_order': False, 'shape': (500000000000, 100)}~the file ends too early
CASES
}

@test "rows without classes are refused" {
    npy x.npy '<f4' False '(2, 0)'
    run --separate-stderr clsoftmax run x.npy
    expect_error 2 "x.npy: rows of 0 classes"
}

@test "f2 and bf16, in and out" {
    npy x.npy '<f2' False '(2, 3)' # 1 2 3 4 5 6
    printf '\x00\x3c\x00\x40\x00\x42\x00\x44\x00\x45\x00\x46' >>x.npy
    run --separate-stderr clsoftmax run x.npy
    [ "$output" = "$ROW_3"$'\n'"$ROW_3" ]
    [ -z "$stderr" ]
    npy b.npy '<V2' False '(2, 3)'
    printf '\x80\x3f\x00\x40\x40\x40\x80\x40\xa0\x40\xc0\x40' >>b.npy
    run --separate-stderr clsoftmax run b.npy --input-dtype bf16
    [ "$output" = "$ROW_3"$'\n'"$ROW_3" ]
    npy big.npy '>f2' False '(3,)'
    printf '\x3c\x00\x40\x00\x42\x00' >>big.npy
    run --separate-stderr clsoftmax run big.npy
    [ "$output" = "$ROW_3" ]
    clsoftmax run x.npy --out-dtype f16 -o p.npy
    grep -aq "'descr': '<f2'" p.npy
    [ "$(tail -c 12 p.npy | od -An -tx2 -N6 | tr -d ' ')" = "2dc333d53952" ]
    clsoftmax run x.npy --out-dtype bf16 -o p.npy
    grep -aq "'descr': '<V2'" p.npy
    [ "$(tail -c 12 p.npy | od -An -tx2 -N6 | tr -d ' ')" = "3db83e7b3f2a" ]
}

@test "any axis" {
    npy x.npy '<f4' False '(2, 3)'
    printf "$F4" >>x.npy
    run --separate-stderr clsoftmax run x.npy --axis 0 -T 3
    [ "$output" = "0.268941432 0.268941432 0.268941432"$'\n'"0.731058598 0.731058598 0.731058598" ]
    run --separate-stderr clsoftmax run x.npy --axis -2 -T 3
    [ "${lines[0]}" = "0.268941432 0.268941432 0.268941432" ]
    run --separate-stderr clsoftmax run x.npy --axis 1
    [ "${lines[0]}" = "$ROW_3" ]
}

@test "a temperature for each row, from text and from .npy" {
    npy x.npy '<f4' False '(2, 3)'
    printf "$F4" >>x.npy
    printf '1\n0\n' >t.txt
    run --separate-stderr clsoftmax run x.npy -T @t.txt
    [ "$output" = "$ROW_3"$'\n'"0 0 1" ]
    npy t.npy '<f8' False '(2,)'
    printf '\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\xbf' >>t.npy # 1, -1
    run --separate-stderr clsoftmax run x.npy -T @t.npy
    [ "$status" -eq 0 ]
    [ "$output" = "$ROW_3"$'\n'"nan nan nan" ]
    [ "${stderr_lines[0]}" = "clsoftmax: note: 1 of 2 rows are NaN: their temperature is negative or NaN" ]
    echo 1 >t.txt
    run --separate-stderr clsoftmax run x.npy -T @t.txt
    expect_error 2 "t.txt: -T: 1 numbers for 2 rows"
    echo 1 1e39 >t.txt
    run --separate-stderr clsoftmax run x.npy -T @t.txt
    expect_error 2 "t.txt: line 1, value 2: " "larger than f32 holds"
}

@test "the policies for rows without a finite maximum" {
    printf '%s\n' '-inf -inf' '1 inf' 'inf inf' >x.txt
    run --separate-stderr clsoftmax run x.txt
    [ "$output" = $'nan nan\nnan nan\nnan nan' ]
    run --separate-stderr clsoftmax run x.txt --neg-inf-rows zero --pos-inf limit
    [ "$output" = $'0 0\n0 1\n0.5 0.5' ]
    run --separate-stderr clsoftmax run x.txt --neg-inf-rows uniform --log
    [ "${lines[0]}" = "-0.693147182 -0.693147182" ]
}

@test "statistics and labels, as a table and as .npy" {
    run --separate-stderr clsoftmax run "$SOURCE/tests/data/digits_val_logits.npy" -T 3.05 \
        --labels "$SOURCE/tests/data/digits_val_labels.npy" --stats
    [ "${lines[0]}" = "argmax maximum log_sum_exp entropy largest_probability margin negative_log_likelihood" ]
    [ "${#lines[@]}" -eq 702 ]
    [[ ${lines[701]} == "# 615 of 700 rows are right, accuracy 0.878571429, mean negative log-likelihood 0.4276287"* ]]
    run --separate-stderr clsoftmax run "$SOURCE/tests/data/digits_val_logits.npy" -o p.npy --stats=s.npy
    [ -z "$output" ]
    [ "$(tail -c +$((1 + $(wc -c <s.npy) - 700 * 32)) s.npy | wc -c)" -eq 22400 ]
    grep -aq "('entropy', '<f4')" s.npy
    run --separate-stderr clsoftmax run "$SOURCE/tests/data/digits_val_logits.npy" -o s.npy --stats="$PWD/s.npy"
    expect_error 2 "-o and --stats name the same file"
    run --separate-stderr clsoftmax run "$SOURCE/tests/data/digits_val_logits.npy" --stats --log
    expect_error 2 "--log: --stats takes the place of the results"
    run --separate-stderr clsoftmax run --stats=s.npy - <<<"10 20 30" -T 10
    [ -z "$output" ]
    run --separate-stderr "$CLSOFTMAX" run "$SOURCE/tests/data/digits_val_logits.npy" --stats --verify
    [[ $stderr == *"statistics of 0 rows beyond their bounds: passed" ]]
}

@test "files that are cut anywhere, or are not .npy files, are refused" {
    npy whole.npy '<f4' False '(2, 3)'
    printf "$F4" >>whole.npy
    for ((size = 0; size < $(wc -c <whole.npy); size += 3)); do
        head -c $size whole.npy >x.npy
        run --separate-stderr clsoftmax run x.npy
        expect_error 2 "x.npy: "
    done
    seq 1000 >x.npy
    run --separate-stderr clsoftmax run x.npy
    expect_error 2 "x.npy: this is not an .npy file"
    mkdir y.npy
    run --separate-stderr clsoftmax run y.npy
    expect_error 2 "y.npy: is a directory"
}

@test "a header length of 4 GB is refused before anything is allocated" {
    printf '\x93NUMPY\x02\x00\xf0\xff\xff\xff{}' >x.npy
    run --separate-stderr clsoftmax run x.npy
    expect_error 2 "x.npy: the header is longer than 64 KiB"
}
