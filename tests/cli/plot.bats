# Pictures: `plot`, and `sweep --plot`.
bats_require_minimum_version 1.5.0
load helpers

# a_gnuplot COMMANDS: puts a gnuplot into PATH that answers --version and does something else
a_gnuplot() {
    mkdir -p bin
    printf '#!/bin/bash\nif [ "$1" = --version ]; then echo gnuplot; exit 0; fi\n%s\n' "$1" >bin/gnuplot
    chmod +x bin/gnuplot
    PATH=$PWD/bin:$PATH
}

# expect_nothing_left FILE: there is no file of this name, nor a temporary one for it
expect_nothing_left() {
    [ -z "$(find . -name "*$1*")" ] || { find . -name "*$1*"; return 1; }
}

@test "bars as text, with the numbers of run" {
    run --separate-stderr clsoftmax plot -T 10,0,inf - <<<"10 20 30"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "T = 10" ]
    [[ ${lines[2]} == "  0         10 █████▍              0.09003 ██▉" ]]
    [[ ${lines[5]} == "T = 0" ]]
    [[ ${lines[9]} == *"30 ████████████████          1 ████████████████████████████████" ]]
    [ "${lines[10]}" = "T = ∞" ]
    local logits=$SOURCE/tests/data/digits_val_logits.npy
    clsoftmax plot "$logits" --row 33 -T 3.05 | awk 'NR > 2 {print $(NF - ($NF ~ /[0-9]/ ? 0 : 1))}' >numbers
    clsoftmax run "$logits" --rows 33:34 -T 3.05 | tr ' ' '\n' | awk '{printf "%.4g\n", $1}' | cmp - numbers
}

@test "many classes: bars of the largest, and one of the rest" {
    seq -s ' ' 1000 >x.txt
    clsoftmax plot x.txt -T 100,inf --top 3 >text
    [ "$(awk 'NR >= 3 && NR <= 6 {print $1}' text | xargs)" = "999 998 997 rest" ]
    grep -q 'rest (997) *0.97[0-9]* █' text
    [ "$(grep -c '0.001' text)" -eq 3 ]
    grep -q 'rest (997) *0.997 █' text
    clsoftmax plot x.txt -T 100 | tail -n 1 | grep -q 'rest (990)'
    clsoftmax plot x.txt -T 100 --top 1000 | tail -n 1 | grep -q ' 999 '
}

@test "bars as SVG: well-formed, every number in it, names as they are" {
    printf "%s\n" "<b> & 'co'" '$(touch planted) `touch planted` "\n' "ein ziemlich langer Name für eine Klasse ⟨3⟩" >names.txt
    clsoftmax plot - -T 1,10,20,30,100,inf --class-names names.txt -o bars.svg <<<"10 20 30"
    texts bars.svg >texts
    [ ! -e planted ]
    grep -qxF "<b> & 'co'" texts
    grep -qxF '$(touch planted) `touch planted` "\n' texts
    grep -qxF 'ein ziemlich langer Name für eine Klasse ⟨3⟩' texts
    local temperature number
    for temperature in 1 10 20 30 100 inf; do
        grep -qx "T = ${temperature/inf/∞}" texts
        for number in $(clsoftmax run - -T $temperature <<<"10 20 30"); do
            number=$(printf %.4g "$number")
            grep -qxF "${number/#1/0.99995}" texts || { echo "$temperature: $number is missing"; return 1; }
        done
    done
    clsoftmax plot - -T 1 --dark -o dark.svg <<<"10 20 30"
    texts dark.svg >texts
    grep -qi 0d1117 dark.svg
    head -c 1000 bars.svg >half.svg
    ! texts half.svg 2>/dev/null # the check sees what is not whole
}

@test "two classes, a thousand classes, -inf, +inf and NaN" {
    seq -s ' ' 1000 >k.txt
    clsoftmax plot k.txt -T 1,100 -o k.svg
    texts k.svg | grep -qx 'rest (990)'
    clsoftmax plot - -T 1,0 -o two.svg <<<"0 0"
    texts two.svg >texts
    [ "$(grep -cx 0.5 texts)" -eq 4 ]
    clsoftmax plot - -T 1 -o masked.svg <<<"-inf 2 1"
    texts masked.svg | grep -qx -- -inf
    clsoftmax plot - -T 1 -o nan.svg <<<"nan inf 1"
    texts nan.svg | grep -qx nan
    clsoftmax sweep - -T log:0.1:10:9 --plot nan-curves.svg <<<"nan inf 1"
    texts nan-curves.svg >texts
    clsoftmax sweep k.txt -T log:0.1:1e6:9 --plot k-curves.svg --top 30
    texts k-curves.svg | grep -qx 'rest (970)'
}

@test "PNG and PDF; a device or a pipe in place of a file" {
    clsoftmax plot - -T 1 -o bars.png <<<"1 2"
    [ "$(head -c 4 bars.png | tail -c 3)" = PNG ]
    clsoftmax sweep - -T 1,2 --plot curves.pdf <<<"1 2"
    [ "$(head -c 4 curves.pdf)" = %PDF ]
    mkfifo pipe.svg
    cat pipe.svg >read.svg &
    clsoftmax plot - -T 1 -o pipe.svg <<<"1 2"
    wait
    texts read.svg | grep -qx 0.7311
}

@test "curves: the points are those of the sweep, and the limits are computed at 0 and inf" {
    a_gnuplot 'cat >script; echo "<svg></svg>"'
    clsoftmax sweep - -T 5,log:0.1:10:7,0 --plot curves.svg <<<"3 1 3 2"
    sed -n '/^\$curves/,/^END/p' script | grep '^[0-9]' >points
    clsoftmax sweep - -T 0,log:0.1:10:7,5,inf <<<"3 1 3 2" | tail -n +2 | awk '{print $3, $5, $6, $4}' | sort >wanted
    cut -d' ' -f2- points | sort | cmp - wanted
    [ "$(head -n 1 points | cut -d' ' -f2-)" = "0.5 0.5 0 0" ]
    [ "$(tail -n 1 points | cut -d' ' -f2-)" = "0.25 0.25 0.25 0.25" ]
    [ "$(cut -d' ' -f1 points)" = "$(cut -d' ' -f1 points | sort -g)" ]
    ! grep -q curves.svg script
}

@test "a probability reads 1 or 0 only where it is 1 or 0" {
    printf '%s\n' a b c >names.txt
    clsoftmax plot - -T 0,0.6,1 --class-names names.txt -o p.svg <<<"0 10 -inf"
    texts p.svg >texts
    [ "$(grep -cx 0.99995 texts)" -eq 1 ] # at T = 1
    [ "$(grep -cx 0.9999999 texts)" -eq 1 ]
    [ "$(grep -cx 1 texts)" -eq 1 ] # at T = 0
    [ "$(grep -cx 0 texts)" -eq 5 ] # a logit; at T = 0 two, then one each
    grep -qx 4.54e-05 texts
    clsoftmax plot - -T 1 <<<"0 10" | grep -q ' 0.99995 █'
    clsoftmax plot - -T 0 <<<"0 10" | grep -q ' 1 █'
    clsoftmax explore - -o page.html <<<"0 10"
    grep -q '^"4.54e-05 0.99995 0.99995 ' page.html
}

@test "curves by rank: the winner is thick and its name bold, labels stand in the order of the curves" {
    a_gnuplot 'cat >script; echo "<svg></svg>"'
    clsoftmax sweep - -T log:0.1:10:7 --plot curves.svg <<<"1 3 -inf 2 3"
    [ "$(grep -o "^set label '[^']*'" script | cut -d"'" -f2 | xargs)" = "1 4 3 0 2" ]
    [ "$(grep '^set label' script | grep -n Bold | cut -d: -f1)" = 1 ]
    [ "$(grep -o 'with lines linetype [0-9]* linewidth [0-9]*' script | cut -d' ' -f6 | xargs)" = "5 2 2 2 2" ]
    seq -s ' ' 100 >x.txt
    clsoftmax sweep x.txt -T log:0.1:10:7 --plot curves.svg --top 3
    [ "$(grep -o "^set label '[^']*'" script | cut -d"'" -f2 | xargs)" = "rest (97) 99 98 97" ]
}

# labels_apart SCRIPT: fails if two labels of curves are closer than the height of a line, or one leaves the picture
labels_apart() {
    local height
    height=$(grep -o 'size [0-9]*,[0-9]*' "$1" | cut -d, -f2)
    sed -n "s/^set label .* at screen [0-9.]*, screen \([0-9.-]*\) left.*/\1/p" "$1" | awk -v height="$height" '
        $1 < 0 || $1 > 1 || (NR > 1 && (before - $1) * height < 16.9) { print "label", NR, "at", $1; wrong = 1 }
        { before = $1 }
        END { exit wrong || NR < 2 }'
}

@test "labels of curves do not touch: ties, masks, a rest, many classes" {
    a_gnuplot 'cat >script; echo "<svg></svg>"'
    local row words
    for words in "" --log-y --no-log-y; do
        for row in "1 1 1 1 1" "3 -inf -inf 1" "$(seq -s ' ' 25)" "$(seq -s ' ' 300)" "nan 1 2"; do
            for top in 2 10 100 1000; do
                clsoftmax sweep - -T log:0.1:10:7 --plot curves.svg --top $top $words <<<"$row" 2>/dev/null
                labels_apart script || { echo "$words --top $top: $row"; return 1; }
            done
        done
    done
    sed 's/^\(set label .*, screen \)[0-9.]*/\10.5/' script >wrong
    ! labels_apart wrong # the check sees labels that touch
}

@test "a logarithmic axis of probabilities: on demand, and for more than 50 classes" {
    a_gnuplot 'cat >script; echo "<svg></svg>"'
    local classes words wanted
    while IFS='|' read -r classes words wanted; do
        # shellcheck disable=SC2086
        clsoftmax sweep - -T log:0.1:10:7 --plot curves.svg $words <<<"$(seq -s ' ' "$classes")"
        echo "$classes $words"
        [ "$(grep -c '^set logscale y' script)" -eq "$wanted" ]
    done <<'CASES'
50||0
51||1
51|--no-log-y|0
3|--log-y|1
3|--no-log-y --log-y|1
CASES
    grep -q '^set yrange \[1e-05:' script # a ten-thousandth of a third, and the power of ten below
    clsoftmax sweep - -T log:1:10:7 --plot curves.svg --log-y <<<"1 2"
    grep -q '^set yrange \[0.1:' script # all are above it
    run --separate-stderr clsoftmax plot - -T 1 --log-y <<<"1 2"
    expect_error 2 "--log-y: no such option"
}

# height_of FILE.svg
height_of() { grep -o -m 1 'viewBox="0 0 [0-9]* [0-9]*"' "$1" | grep -o '[0-9]*"' | tr -d '"'; }

@test "a picture is at most 4000 pixels high, and a note says what it leaves out" {
    seq -s ' ' 1000 >x.txt
    run --separate-stderr clsoftmax plot x.txt -T 1,100 --top 1000 -o p.svg
    [ "$status" -eq 0 ]
    [[ $stderr == "clsoftmax: note: p.svg: a picture is at most 4000 pixels high, which is room for 163 of 1000 "* ]]
    [ "$(height_of p.svg)" -le 4000 ]
    texts p.svg | grep -qx 'rest (837)'
    run --separate-stderr clsoftmax sweep x.txt -T log:0.1:10:7 --top 1000 --plot p.svg
    [ "$status" -eq 0 ]
    [[ $stderr == "clsoftmax: note: --plot: "*"room for 229 of 1000 classes"* ]]
    [ "$(height_of p.svg)" -le 4000 ]
    texts p.svg | grep -qx 'rest (771)'
    run --separate-stderr clsoftmax plot x.txt -T lin:1:100:210 -o p.svg
    [[ $stderr == *'room for 1 of 1000 classes beside "rest"' ]]
    [ "$(height_of p.svg)" -le 4000 ]
    run --separate-stderr clsoftmax plot x.txt -T lin:1:100:211 -o p.svg
    expect_error 2 "p.svg: a picture is at most 4000 pixels high, which is room for 210 temperatures, not 211"
    seq -s ' ' 164 >x.txt
    run --separate-stderr clsoftmax plot x.txt -T 1,100 --top 164 -o p.svg
    [ -z "$stderr" ]
    [ "$(clsoftmax plot x.txt -T 1 --top 164 | wc -l)" -eq 166 ] # text has no end
}

@test "names are cut where they would take half of the picture, or what a terminal leaves" {
    local long
    long=$(printf 'abcdefghi %.0s' {1..30})
    printf '%s\n' "${long:0:70}" "$long" 金毛寻回犬 >names.txt
    clsoftmax plot - -T 1,2,3,4 --class-names names.txt -o p.svg <<<"1 2 3"
    texts p.svg >texts
    grep -qx "${long:0:69}" texts
    grep -q '^abcdefghi .*…$' texts
    [ "$(grep … texts | wc -m)" -gt 100 ]
    clsoftmax sweep - -T log:1:9:9 --class-names names.txt --plot p.svg <<<"1 2 3"
    texts p.svg | grep -q "${long:0:60}.*…"
    clsoftmax plot - -T 1 --class-names names.txt <<<"1 2 3" >text
    grep -q "^  ${long:0:70} " text
    # a name of East Asia is five letters in ten columns
    [ "$(sed -n '5s/^  金毛寻回犬\( *\).*/\1/p' text | tr -d '\n' | wc -c)" -eq $((100 - 10 + 1 + 9)) ]
    needs_terminal
    python3 - "$CLSOFTMAX" >lines <<'PYTHON'
import fcntl, os, pty, struct, sys, termios
process, terminal = pty.fork()
if process == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 110, 0, 0))
    open("row.txt", "w").write("1 2 3\n")
    os.environ["CLSOFTMAX_DEVICE"] = "cpu"
    os.execv(sys.argv[1], [sys.argv[1], "plot", "row.txt", "-T", "inf", "--class-names", "names.txt"])
said = b""
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
print(max(len(line) for line in said.decode().split("\r\n") if "…" in line.split("█")[0]))
print(max(line.find("…") for line in said.decode().split("\r\n")))
PYTHON
    [ "$(tail -n 1 lines)" -eq 37 ] # two spaces, and 36 columns of 110 - 74
    [ "$(head -n 1 lines)" -le 110 ]
}

@test "curves: a picture in place of text, or beside files; on the terminal" {
    run --separate-stderr clsoftmax sweep - -T log:0.1:10:7 --plot curves.svg <<<"3 1 3"
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    texts curves.svg >texts
    grep -qx 'T = 0' texts
    grep -qx 'T = ∞' texts
    clsoftmax sweep "$SOURCE/tests/data/digits_val_logits.npy" -T 1,2 --row 699 --plot curves.svg -o p.npy --stats=s.npy
    [ -e p.npy ]
    [ -e s.npy ]
    clsoftmax sweep - -T log:0.1:10:7 --plot - <<<"3 1 3" >text
    grep -q 'T = ∞' text
}

@test "without gnuplot the error names its package, before any work is done" {
    run --separate-stderr env PATH=/nonexistent "$CLSOFTMAX" plot nowhere.npy -T 1 -o p.svg
    [ "$status" -eq 2 ] || expect_error 1 "gnuplot is not installed (Debian, Ubuntu: gnuplot-nox)"
    echo "1 2" >x.txt
    run --separate-stderr env PATH=/nonexistent "$CLSOFTMAX" plot x.txt -T 1 -o p.svg
    expect_error 1 "p.svg: gnuplot is not installed (Debian, Ubuntu: gnuplot-nox)"
    run --separate-stderr env PATH=/nonexistent "$CLSOFTMAX" sweep x.txt -T 1,2 --plot p.svg -o p.npy
    expect_error 1 "--plot: gnuplot is not installed (Debian, Ubuntu: gnuplot-nox)"
    expect_nothing_left p.svg
    expect_nothing_left p.npy
    PATH=/nonexistent CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" plot x.txt -T 1 >text # text needs none
}

@test "a gnuplot that fails, dies or writes half of a picture gives an error, and no picture" {
    local commands why
    while IFS='|' read -r commands why; do
        a_gnuplot "$commands"
        run --separate-stderr clsoftmax plot - -T 1 -o p.svg <<<"1 2"
        echo "$commands"
        expect_error 1 "$why"
        expect_nothing_left p.svg
    done <<'CASES'
cat >/dev/null; echo "<svg></svg>"; echo "no such terminal" >&2; exit 1|p.svg: gnuplot failed: no such terminal
exit 3|p.svg: gnuplot failed: exit status 3
kill -SEGV $$|p.svg: gnuplot failed: Segmentation fault
cat >/dev/null; echo "<svg><path"|p.svg: gnuplot did not write all of it
cat >/dev/null|p.svg: gnuplot did not write all of it
CASES
    a_gnuplot 'cat >/dev/null; echo "<svg></svg>"; echo "a font is missing" >&2'
    run --separate-stderr clsoftmax plot - -T 1 -o p.svg <<<"1 2"
    [ "$status" -eq 0 ]
    [ "$stderr" = "clsoftmax: note: gnuplot: a font is missing" ]
}

@test "the real gnuplot on a full disk" {
    run --separate-stderr bash -c \
        'ulimit -f 1; echo "1 2 3 4 5 6 7 8 9" | "$CLSOFTMAX" plot -d cpu - -T 1,2,3,4,5,6,7,8,9 -o p.svg'
    [ "$status" -eq 1 ]
    [[ $stderr == *"p.svg: gnuplot"* ]]
    expect_nothing_left p.svg
}

@test "gnuplot is waited for even where the parent of the command ignores SIGCHLD" {
    env --ignore-signal=CHLD "$CLSOFTMAX" plot -d cpu - -T 1 -o p.svg <<<"1 2"
    texts p.svg | grep -qx 0.7311
}

@test "an output that exists stays as it was after a failure" {
    echo old >p.svg
    a_gnuplot 'exit 1'
    run --separate-stderr clsoftmax plot - -T 1 -o p.svg <<<"1 2"
    [ "$(cat p.svg)" = old ]
}

@test "characters of names that control terminals or are not allowed in XML become spaces" {
    printf 'a\033]0;t\007b\nc\302\233d\r\ne\357\277\277f\177\n' >names.txt # ESC, BEL, CSI of 8 bits, U+FFFF, DEL
    clsoftmax plot - -T 1 --class-names names.txt -o p.svg <<<"1 2 3"
    texts p.svg >found
    grep -qxF 'a ]0;t b' found
    grep -qxF 'c d' found
    grep -qxF 'e f' found
    clsoftmax plot - -T 1 --class-names names.txt <<<"1 2 3" >p.txt
    [ -z "$(tr -d '\n' <p.txt | LC_ALL=C grep -a '[[:cntrl:]]')" ]
    grep -q 'c d' p.txt
}

@test "options and names that are wrong" {
    printf 'a\nb\n' >two.txt
    printf 'a\nb\nc\n' >three.txt
    printf 'a\n\xff\nc\n' >latin.txt
    printf 'a\nb\0c\nd\n' >zero.txt
    printf '1 2 3\n4 5 6\n' >x.txt
    local words why
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086
        run --separate-stderr clsoftmax plot $words
        echo "$words"
        expect_error 2 "$why"
    done <<'CASES'
x.txt|-T LIST is missing
-T 1|INPUT is missing; see clsoftmax plot --help
x.txt -T 1 -o p.gif|-o p.gif: the name of an .svg, .png or .pdf file
x.txt -T 1 --row 2|--row 2: x.txt has rows from 0 to 1
x.txt -T 1 --axis 0 --row 3|--row 3: x.txt has rows from 0 to 2
x.txt -T 1 --row x|--row x: it takes a whole number
x.txt -T 1 --stats|--stats: no such option
x.txt -T 1 --class-names two.txt|two.txt: 2 names for 3 classes
x.txt -T 1 --axis 0 --class-names three.txt|three.txt: more than 2 lines
x.txt -T 1 --class-names latin.txt|latin.txt: line 2: not UTF-8
x.txt -T 1 --class-names zero.txt|zero.txt: line 2: a zero byte
x.txt -T 1 --class-names none.txt|none.txt: No such file
x.txt -T 1 -d 77:7|device "77:7"
CASES
}

@test "names of classes come out as they went in: in every picture, on the terminal, on a page" {
    local names=('50% off' '100%' 'a_b^{c}' "it's" 'back\slash' '%s %d' '@x ~y &z' '{/Bold x}' 'say "x"' '$1 `ls`')
    local file name
    printf '%s\n' "${names[@]}" >names.txt
    seq -s ' ' 10 >x.txt
    clsoftmax plot x.txt -T 1 --class-names names.txt -o bars.svg
    clsoftmax sweep x.txt -T log:0.1:10:9 --class-names names.txt --plot curves.svg
    clsoftmax plot x.txt -T 1 --class-names names.txt >bars.txt
    clsoftmax sweep x.txt -T log:0.1:10:9 --class-names names.txt --plot - >curves.txt
    clsoftmax explore x.txt --class-names names.txt -o page.html
    texts bars.svg >bars.svg.txt
    texts curves.svg >curves.svg.txt
    for name in "${names[@]}"; do
        for file in bars.svg.txt curves.svg.txt bars.txt curves.txt; do
            grep -qF -- "$name" $file || { echo "no $name in $file"; return 1; }
        done
    done
    clsoftmax plot x.txt -T 1 --class-names names.txt -o bars.png
    clsoftmax plot x.txt -T 1 --class-names names.txt -o bars.pdf
}
