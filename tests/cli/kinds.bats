# Kinds of files beside .npy and text: .npz, .safetensors, pipes, and those that are refused with the command that
# converts them.
bats_require_minimum_version 1.5.0
load helpers

# safetensors FILE: writes what standard input says, lines of NAME DTYPE SHAPE BYTES, the last as hex
safetensors() {
    python -c '
import json, struct, sys
header, data = {"__metadata__": {"format": "pt"}}, b""
for line in sys.stdin:
    name, dtype, shape, value = line.split()
    value = bytes.fromhex(value)
    header[name] = {"dtype": dtype, "shape": json.loads(shape), "data_offsets": [len(data), len(data) + len(value)]}
    data += value
text = json.dumps(header).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + data)' "$1"
}

# raw FILE HEADER DATA: writes a .safetensors file of this text and data
raw() {
    little_endian ${#2} 8 >"$1"
    printf '%s%b' "$2" "$3" >>"$1"
}

ROW_3="0.0900305733 0.244728476 0.665240943"
ONE='"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}'
EIGHT='\0\0\0\0\0\0\0\0'

@test ".safetensors: every dtype that holds logits, one tensor of several, labels, temperatures" {
    safetensors x.safetensors <<'END'
f32 F32 [1,3] 0000803f0000004000004040
f16 F16 [1,3] 003c00400042
bf16 BF16 [1,3] 803f00404040
f64 F64 [1,3] 000000000000f03f00000000000000400000000000000840
i64 I64 [1,3] 010000000000000002000000000000000300000000000000
u8 U8 [1,3] 010203
f8 F8_E4M3 [3] 010203
labels I64 [1] 0200000000000000
two F32 [1] 00000040
END
    for name in f32 f16 bf16 f64 i64 u8; do
        run --separate-stderr clsoftmax run x.safetensors --tensor $name
        echo "$name $output $stderr"
        [ "$output" = "$ROW_3" ]
        [ -z "$stderr" ]
        run clsoftmax run "x.safetensors:$name"
        [ "$output" = "$ROW_3" ]
    done
    run --separate-stderr clsoftmax run x.safetensors:f32 --labels x.safetensors:labels -T @x.safetensors:two
    [[ $output == *"1 of 1 rows are right"*"0.680269"* ]]
    run --separate-stderr clsoftmax run x.safetensors
    expect_error 2 "x.safetensors: --tensor says which of its tensors: f32, f16, bf16, f64, i64, u8, f8, labels, two"
    run --separate-stderr clsoftmax run x.safetensors --tensor f33
    expect_error 2 'x.safetensors: no tensor "f33"; it holds f32'
    run --separate-stderr clsoftmax run x.safetensors --tensor __metadata__
    expect_error 2 'no tensor "__metadata__"'
    run --separate-stderr clsoftmax run x.safetensors --tensor f8
    expect_error 2 "dtype F8_E4M3 is not supported; it takes F16, BF16, F32, F64, integers, BOOL"
    run --separate-stderr clsoftmax run x.safetensors --tensor bf16 --input-dtype f32
    expect_error 2 "--input-dtype f32, but the file holds bf16"
    safetensors one.safetensors <<<"only F32 [1,3] 0000803f0000004000004040"
    run --separate-stderr clsoftmax run one.safetensors
    [ "$output" = "$ROW_3" ]
}

@test ".safetensors: results are read back, in each dtype, and a sweep has one dimension more" {
    printf '1 2 3\n4 5 7\n' >x.txt
    for dtype in f32 f16 bf16; do
        clsoftmax run x.txt --out-dtype $dtype -o p.npy
        clsoftmax run x.txt --out-dtype $dtype -o p.safetensors
        tail -c +129 p.npy >data
        tail -c "$(wc -c <data)" p.safetensors | cmp - data
        clsoftmax run p.safetensors >found
        clsoftmax run p.npy $([ $dtype != bf16 ] || echo --input-dtype bf16) >expected
        cmp expected found
        length=$(head -c 8 p.safetensors | od -An -tu8)
        [ $((8 + length + $(wc -c <data))) -eq $(wc -c <p.safetensors) ]
        [ $((length % 8)) -eq 0 ]
    done
    clsoftmax sweep x.txt -T 1,2,inf --log -o p.SafeTensors
    grep -aq '{"log_probabilities":{"dtype":"F32","shape":\[3,2,3\],"data_offsets":\[0,72\]}}' p.SafeTensors
    run --separate-stderr clsoftmax run x.txt --stats=s.safetensors
    expect_error 2 "--stats=s.safetensors: the name of an .npy file"
    clsoftmax run x.txt -o p.npy
    for shard in 1 0 2; do clsoftmax run x.txt --shard $shard/3 -o q.safetensors; done
    clsoftmax run x.txt -o p.safetensors
    cmp p.safetensors q.safetensors
}

@test ".safetensors: a header that is damaged, or means to deceive, is refused" {
    local header data words
    while IFS='|' read -r header data words; do
        raw x.safetensors "$header" "$data"
        run --separate-stderr clsoftmax run x.safetensors
        echo "$header"
        expect_error 2 "x.safetensors: $words"
    done <<END
|$EIGHT|this is not a .safetensors file
[$ONE]|$EIGHT|this is not a .safetensors file
{$ONE|$EIGHT|the header is not JSON
{$ONE}}|$EIGHT|the header is not JSON
{$ONE,$ONE}|$EIGHT|the header is not JSON: duplicate object key
{}||it holds no tensor
{"__metadata__":{"a":1},$ONE}|$EIGHT|__metadata__: "a" is not a string
{"__metadata__":[],$ONE}|$EIGHT|__metadata__ is not an object
{"x":{"dtype":"F32","shape":[1,2]}}|$EIGHT|tensor "x": it has not exactly dtype, shape and data_offsets
{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8],"more":1}}|$EIGHT|tensor "x": it has not exactly
{"x":7}|$EIGHT|tensor "x": it has not exactly
{"x":{"dtype":"F33","shape":[1,2],"data_offsets":[0,8]}}|$EIGHT|tensor "x": a dtype that .safetensors does not have
{"x":{"dtype":"F32","shape":[1,-2],"data_offsets":[0,8]}}|$EIGHT|tensor "x": the shape has something
{"x":{"dtype":"F32","shape":[1,2.0],"data_offsets":[0,8]}}|$EIGHT|tensor "x": the shape has something
{"x":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}|$EIGHT|tensor "x": the shape is not an array
{"x":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}}|$EIGHT|tensor "x": the shape has more elements
{"x":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}|$EIGHT|the header is not JSON: too big integer
{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8,9]}}|$EIGHT|tensor "x": data_offsets are not two whole numbers
{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[8,0]}}|$EIGHT|tensor "x": data_offsets go backward
{"x":{"dtype":"F32","shape":[1,3],"data_offsets":[0,8]}}|$EIGHT|tensor "x": data_offsets do not fit shape and dtype
{$ONE,"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}|$EIGHT|tensors overlap, or leave a hole, at byte 0
{$ONE,"y":{"dtype":"F32","shape":[1],"data_offsets":[9,13]}}|$EIGHT|tensors overlap, or leave a hole, at byte 8
{$ONE}|$EIGHT$EIGHT|the tensors take 8 bytes, but the file has 16 for them
{$ONE}|\0\0\0\0|the tensors take 8 bytes, but the file has 4 for them
END
    printf '\xff\xff\xff\xff\xff\xff\xff\x7f{}' >x.safetensors
    run --separate-stderr clsoftmax run x.safetensors
    expect_error 2 "x.safetensors: a header of 9223372036854775807 bytes; at most 100000000 are taken"
    printf '\x00\x00\x00\x05\x00\x00\x00\x00{}' >x.safetensors
    run --separate-stderr clsoftmax run x.safetensors
    expect_error 2 "x.safetensors: the file ends within its header"
    raw x.safetensors "{$ONE}" "$EIGHT"
    for ((size = 0; size < $(wc -c <x.safetensors); size += 3)); do
        head -c $size x.safetensors >y.safetensors
        run --separate-stderr clsoftmax run y.safetensors
        expect_error 2 "y.safetensors: "
    done
}

@test ".npz: stored and compressed members, written to a file or as a stream, by name" {
    python -c '
import numpy, zipfile, sys
x = numpy.array([[1, 2, 3]], "f4")
numpy.save("x.npy", x)
numpy.savez("one.npz", x)
numpy.savez_compressed("two.npz", logits=x, labels=numpy.array([2]))
class Stream:
    def __init__(self): self.file = open("stream.npz", "wb")
    def write(self, data): return self.file.write(data)
    def flush(self): self.file.flush()
with zipfile.ZipFile(Stream(), "w", zipfile.ZIP_DEFLATED) as archive: archive.write("x.npy", "logits.npy")
numpy.savez("large.npz", numpy.zeros((300, 1000), "f4"))'
    for input in one.npz one.npz:arr_0 two.npz:logits stream.npz; do
        run --separate-stderr clsoftmax run $input
        echo "$input: $output $stderr"
        [ "$output" = "$ROW_3" ]
        [ -z "$stderr" ]
    done
    run --separate-stderr clsoftmax run two.npz --tensor logits --labels two.npz:labels
    [[ $output == *"1 of 1 rows are right"* ]]
    run --separate-stderr clsoftmax run two.npz
    expect_error 2 "two.npz: --tensor says which of its arrays: logits, labels"
    run --separate-stderr clsoftmax run two.npz:logit
    expect_error 2 'two.npz: no array "logit"; it holds logits, labels'
    run --separate-stderr env TMPDIR=/does/not/exist "$CLSOFTMAX" run one.npz
    expect_error 1 "one.npz: a copy in /does/not/exist: No such file or directory; TMPDIR names another folder"
    mkdir temporary
    (
        ulimit -f 500 # in units of 1024 bytes, of which the array takes 1172
        run --separate-stderr env TMPDIR=temporary "$CLSOFTMAX" run large.npz --stats=s.npy
        expect_error 1 "large.npz: a copy in temporary: File too large"
    )
    [ -z "$(ls -A temporary)" ]
}

@test ".npz: an archive that is damaged, or means to deceive, is refused" {
    python -c '
import numpy, zipfile, io
x = numpy.array([[1, 2, 3]], "f4")
numpy.savez("x.npz", x)
data = bytearray(open("x.npz", "rb").read())
at = data.index(x.tobytes())
data[at] ^= 1
open("changed.npz", "wb").write(data)
with zipfile.ZipFile("text.npz", "w") as archive: archive.writestr("x.npy", "1 2 3")
with zipfile.ZipFile("empty.npz", "w"): pass
stream = io.BytesIO(); numpy.save(stream, x)
with zipfile.ZipFile("short.npz", "w") as archive: archive.writestr("x.npy", stream.getvalue()[:-1])
# an archive that says less than its member has
with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive: archive.writestr("x.npy", bytes(10 ** 6))
data = open("bomb.npz", "rb").read().replace((10 ** 6).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
open("bomb.npz", "wb").write(data)'
    for kind in "changed:CRC error" "text:this is not an .npy file" "short:the file ends too early" "bomb:" "empty:"; do
        run --separate-stderr clsoftmax run ${kind%%:*}.npz
        [ "$status" -ne 0 ]
        expect_error $status "${kind%%:*}.npz: ${kind#*:}"
    done
    for ((size = 0; size < $(wc -c <x.npz); size += 7)); do
        head -c $size x.npz >y.npz
        run --separate-stderr clsoftmax run y.npz
        expect_error 2 "y.npz: "
    done
}

@test ".npy through pipes: from standard input, from a process, from a fifo, and to standard output" {
    printf '1 2 3\n4 5 7\n' >x.txt
    clsoftmax run x.txt -o x.npy
    clsoftmax run x.npy >expected
    clsoftmax run - <x.npy | cmp - expected
    cat x.npy | clsoftmax run - | cmp - expected
    clsoftmax run <(cat x.npy) | cmp - expected
    cat x.npy | clsoftmax run /dev/stdin | cmp - expected
    clsoftmax run <(cat x.txt) >found
    clsoftmax run x.txt | cmp - found
    mkfifo pipe.npy
    cat x.npy >pipe.npy &
    clsoftmax run pipe.npy | cmp - expected
    clsoftmax run x.npy -o p.npy
    clsoftmax run x.npy -o - >q.npy
    cmp p.npy q.npy
    clsoftmax run x.npy -o - | cmp p.npy -
    { echo before; clsoftmax run - -o - <x.npy; echo behind; } >r.npy # it writes on from where the file stands
    { echo before; cat p.npy; echo behind; } | cmp - r.npy
    [ ! -e - ]
    clsoftmax sweep x.npy -T 1,2 --stats=s.npy -o - >q.npy
    clsoftmax sweep x.npy -T 1,2 -o p.npy
    cmp p.npy q.npy
    head -c 100 x.npy >short.npy
    run --separate-stderr clsoftmax run - <short.npy
    expect_error 2 "-: the file ends within its header"
    run --separate-stderr bash -c '"$CLSOFTMAX" run x.npy -o - >/dev/full'
    expect_error 1 "standard output: No space left on device"
    run --separate-stderr clsoftmax run /dev/null
    expect_error 2 "/dev/null: it has no row of numbers"
}

@test "-o -: what would mix with the results is refused, and so is a terminal" {
    printf '1 2 3\n' >x.txt
    for more in "--stats" "--labels x.txt" "--explain" "--shard 0/2"; do
        run --separate-stderr clsoftmax run x.txt -o - $more
        expect_error 2 "-o FILE"
    done
    run --separate-stderr clsoftmax sweep x.txt -T 1,2 -o - --plot -
    expect_error 2 "-o -: --plot - goes to standard output, too; --plot FILE"
    command -v script >/dev/null || skip "no script"
    needs_terminal
    run script -qec "'$CLSOFTMAX' run x.txt -o -" /dev/null
    [ "$status" -eq 2 ]
    [[ $output == *"standard output is a terminal, and .npy is no text; redirect it, or leave -o out"* ]]
}

@test "--tensor is for files that hold several arrays" {
    printf '1 2 3\n' >x.txt
    clsoftmax run x.txt -o x.npy
    for input in x.txt x.npy; do
        run --separate-stderr clsoftmax run $input --tensor a
        expect_error 2 "$input: --tensor is for files that hold several arrays, .npz and .safetensors"
    done
    run --separate-stderr clsoftmax run x.npy:a
    expect_error 2 "x.npy:a: No such file or directory"
}

@test "other kinds of files: the error has the command that converts them" {
    for kind in pt pth pkl parquet feather xlsx h5 hdf5 mat json; do
        run --separate-stderr clsoftmax run "x.$kind"
        expect_error 2 "x.$kind: .$kind files are not read; python3 -c 'import numpy, " \
            "; numpy.save(\"logits.npy\", " "(\"x.$kind\""
    done
    printf '1 2 3\n' | gzip >x.csv.gz
    run --separate-stderr clsoftmax run x.csv.gz
    expect_error 2 "x.csv.gz: compressed files are not read; gzip -dc x.csv.gz | clsoftmax ... -"
    [ "$(gzip -dc x.csv.gz | clsoftmax run -)" = "$ROW_3" ]
    echo '[[1, 2, 3]]' >x.json # one of them is tried
    run --separate-stderr clsoftmax run x.json
    command=$(sed "s/^[^;]*; //" <<<"$stderr")
    python -c "$(sed "s/^python3 -c '//; s/'$//" <<<"$command")"
    [ "$(clsoftmax run logits.npy)" = "$ROW_3" ]
}
