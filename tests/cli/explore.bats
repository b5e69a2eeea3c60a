# The page of `explore`: what it holds and, where Chromium is installed, how it works.
bats_require_minimum_version 1.5.0
load helpers

numbers() { python3 "$SOURCE/tests/page/check_numbers.py" "$@"; }

# needs_browser: skips without Chromium, and under a sanitizer, which is slow and finds nothing new here
needs_browser() {
    command -v chromium >/dev/null || skip "no chromium; ./dev test installs it where Debian's packages are"
    limits_address_space
}

browser() { CLSOFTMAX_DEVICE=cpu python3 "$SOURCE/tests/page/check_browser.py" "$1" "$CLSOFTMAX" "${@:2}"; }

# rows COUNT CLASSES: prints rows of logits
rows() {
    awk -v rows="$1" -v classes="$2" 'BEGIN { for (r = 0; r < rows; r++) for (c = 0; c < classes; c++)
        printf "%.3f%s", 12 * sin(r * 7 + c * c), c + 1 < classes ? " " : "\n" }'
}

@test "random logits and examples: every number is right at every stop of the slider" {
    clsoftmax explore -o page.html
    run numbers page.html
    echo "$output"
    [ "$output" = "136867 numbers" ]
    [ "$(wc -c <page.html)" -lt 1000000 ]
}

@test "every run and every device makes the same page" {
    clsoftmax explore -o page.html
    clsoftmax explore -o again.html
    cmp page.html again.html
    needs_device
    clsoftmax explore -d 0:0 -o opencl.html
    cmp page.html opencl.html
}

@test "rows of an input: at most 50, each with its 99 largest logits and the rest" {
    rows 60 7 >short.txt
    clsoftmax explore short.txt -o short.html
    numbers short.html short.txt
    rows 3 100 >all.txt
    clsoftmax explore all.txt -o all.html
    numbers all.html all.txt
    rows 3 101 >long.txt
    clsoftmax explore long.txt -o long.html
    numbers long.html long.txt
    grep -q '"rest (2)"' long.html
    clsoftmax explore short.txt --rows 50:60 -o part.html
    sed -n '51,60p' short.txt >part.txt
    numbers part.html part.txt
    grep -q '"name":"59"' part.html
    clsoftmax explore short.txt --axis 0 -o columns.html # 7 rows of 60 classes
    [ "$(grep -c '"name":"[0-6]","cases"' columns.html)" -eq 7 ]
    clsoftmax explore "$SOURCE/tests/data/digits_val_logits.npy" -o digits.html
    [ "$(wc -c <digits.html)" -lt 1000000 ]
    grep -q "Rows: 50 of 700, of digits_val_logits.npy" digits.html
    clsoftmax explore - -o masked.html <<<"-inf 1 2"
    grep -q '"logits":\["-inf","1","2"\]' masked.html
}

@test "labels: the true label of each row beside its prediction" {
    printf '%s\n' "1 3 2" "1 3 2" "1 3 2" "1 3 2" "nan 3 2" >x.txt
    printf '%s\n' 1 2 -1 7 0 >labels.txt
    clsoftmax explore x.txt --labels labels.txt -o page.html
    grep -o '"label":.*"isRight":[a-z]*' page.html >found
    cat >wanted <<'LABELS'
"label":"1","prediction":"1","labelItem":1,"isRight":true
"label":"2","prediction":"1","labelItem":2,"isRight":false
"label":"none","prediction":"1","labelItem":-1,"isRight":null
"label":"none","prediction":"1","labelItem":-1,"isRight":null
"label":"0","prediction":"none","labelItem":0,"isRight":null
LABELS
    diff wanted found
    printf '%s\n' cat dog bird >names.txt
    clsoftmax explore x.txt --labels labels.txt --class-names names.txt --rows 1:2 -o page.html
    grep -o '"label":.*"isRight":[a-z]*' page.html >found
    [ "$(cat found)" = '"label":"bird","prediction":"dog","labelItem":2,"isRight":false' ]
    rows 3 200 >long.txt
    clsoftmax run long.txt --stats | awk 'NR > 1 {print ($1 + 100) % 200}' >labels.txt
    clsoftmax explore long.txt --labels labels.txt -o page.html
    [ "$(grep -c '"isRight":false' page.html)" -eq 3 ]
    clsoftmax explore x.txt -o page.html
    ! grep -q '"label":' page.html
}

@test "names of classes cannot become part of the page" {
    printf '%s\n' '</script><script>document.title = "planted"</script>' '"quoted" \ & back' 'ünïcödé' >names.txt
    echo "1 2 3" >x.txt
    clsoftmax explore x.txt --class-names names.txt -o page.html
    numbers page.html x.txt
    ! grep -q '<script>document' page.html
    grep -qF '"items":["\u003c/script>\u003cscript>document.title = \"planted\"\u003c/script>",' page.html
    grep -qF '"\"quoted\" \\ & back","ünïcödé"]' page.html
}

@test "the name of a file may be long, or not UTF-8: the page can be read" {
    local name
    for name in "$(printf 'ä%.0s' {1..110}).txt" $'b\xffd\033.txt'; do
        echo "1 2 3" >"$name"
        clsoftmax explore "$name" -o page.html
        iconv -f UTF-8 -t UTF-8 page.html >/dev/null
        ! grep -q $'\033' page.html
    done
    grep -qF 'of b?d .txt.' page.html
}

@test "the check of the numbers sees a page that is wrong" {
    clsoftmax explore -o page.html
    local pattern replacement why
    while IFS='|' read -r pattern replacement why; do
        sed "0,/$pattern/s|$pattern|$replacement|" page.html >wrong.html
        ! cmp -s page.html wrong.html
        run numbers wrong.html
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *"$why"* ]]
    done <<'CASES'
0.09003 0.2447|0.09004 0.2447|at T = 10: 0.09004, but it is 0.0900
0.09003 0.2447|0.2447 0.09003|at T = 10: 0.2447, but it is 0.0900
"1.259"|"1.26"|1.26
0.6652 0.8324|0.6652 0.8325|0.8325, but it is 0.832
4.54e-05 0.99995|4.54e-05 1|at T = 1: 1, but it is 0.9999
default-src 'none'|default-src 'self'|default-src 'self'
href="data:,"|href="favicon.ico"|link loads favicon.ico
<label for="choice"|<label for="none"|no label
<h1>|<img src="https:\/\/example.org\/x.png"><h1>|img loads
aria-live="polite"||
<\/table>|</tbody>|</tbody> where none is open
CASES
}

@test "in a browser: slider, items, examples, names for screen readers; nothing on the console, nothing loaded" {
    needs_browser
    clsoftmax explore -o page.html
    browser page.html
    rows 3 101 >long.txt
    clsoftmax explore long.txt -o long.html
    browser long.html --rows
    local data=$SOURCE/tests/data
    clsoftmax explore "$data/digits_val_logits.npy" --labels "$data/digits_val_labels.npy" -o digits.html
    browser digits.html --rows
    sed 's/"label":"8","prediction"/"label":"1","prediction"/' digits.html >wrong.html
    run browser wrong.html --rows
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"True label: 1. Prediction: "*"not True label: 8. Prediction: "* ]]
}

@test "the check in the browser sees a page that is wrong" {
    needs_browser
    clsoftmax explore -o page.html
    local pattern replacement why
    while IFS='|' read -r pattern replacement why; do
        sed "0,/$pattern/s|$pattern|$replacement|" page.html >wrong.html
        ! cmp -s page.html wrong.html
        run browser wrong.html
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *"$why"* ]]
    done <<'CASES'
0.02909 0.2989|0.02908 0.2989|is shown, and is
"use strict";|console.error("planted");|on the console: ['planted']
<h1>|<img alt="" src="file:///planted.png"><h1>|planted.png
<h1>|<h1 style="width: 1200px">|wider than the window
now.probabilities.forEach|stored(shown, at + 1).probabilities.forEach|is shown, and is
sample + 1) % option|sample + 2) % option|walks 10 samples
 id="temperature-text" for="temperature"| for="temperature"|temperature-text
CASES
}

@test "options that are wrong" {
    echo "1 2" >x.txt
    echo 0.5 >half.txt
    npy empty.npy '<f4' False '(0, 3)'
    local words why
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086
        run --separate-stderr clsoftmax explore $words
        echo "$words"
        expect_error 2 "$why"
        [ ! -e p.html ]
    done <<'CASES'
x.txt|-o PAGE.html is missing; see clsoftmax explore --help
-o p.svg|-o p.svg: the name of an .html file
x.txt y.txt -o p.html|y.txt: one INPUT only
nowhere.txt -o p.html|nowhere.txt: No such file
empty.npy -o p.html|empty.npy: there are no rows to show
-o p.html --rows 1:2|--rows: there is no INPUT
-o p.html --class-names x.txt|--class-names: without INPUT
-o p.html --labels x.txt|--labels: there is no INPUT
x.txt -o p.html --labels x.txt|x.txt: --labels: 2 numbers for 1 rows
x.txt -o p.html --labels half.txt|half.txt: --labels: 0.5, the label of row 0, is not a whole number
x.txt -o p.html -T 3|-T: no such option
x.txt -o p.html --rows 5:6|--rows: begins at 5, but the first axis of x.txt is 1 long
CASES
}

@test "a page that does not fit on the disk leaves no file" {
    run --separate-stderr bash -c 'ulimit -f 8; "$CLSOFTMAX" explore -d cpu -o p.html'
    [ "$status" -eq 1 ]
    [[ $stderr == *"p.html: File too large" ]]
    [ -z "$(find . -name '*p.html*')" ]
}
