"""check_numbers.py PAGE.html [LOGITS.txt]: checks what a page of clsoftmax explore holds, without a browser. The oracle
of every number is softmax in double precision, computed here; a number may be off by what rounding to four digits
allows. LOGITS.txt has the rows of the page. cli/explore.bats plants faults for it."""
import decimal
import html.parser
import json
import math
import struct
import sys

DIGITS = 4


def f32(number):
    return struct.unpack("f", struct.pack("f", float(number)))[0]


class Page(html.parser.HTMLParser):
    """The tags of the page, and its data."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.data, self.in_data, self.open = [], "", False, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.in_data = dict(attributes).get("id") == "data"
        if tag not in ("meta", "link", "input", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "</%s> where none is open" % tag

    def handle_data(self, data):
        if self.in_data:
            self.data += data
            self.in_data = False


def check_page(page, text):
    assert not page.open, "not closed: %s" % page.open
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert attributes.get(name, "data:,") == "data:,", "%s loads %s" % (tag, attributes[name])
        if tag == "input":
            labels = [a.get("for") for t, a in page.tags if t == "label"]
            assert attributes["id"] in labels, "no label: %s" % attributes
    for word in ("http:", "https:", "url(", "@import", "fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval("):
        assert word not in text, "%s in the page" % word
    policy = [a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and policy[0].startswith("default-src 'none';") and "connect-src" not in policy[0], policy
    viewports = [a["content"] for t, a in page.tags if t == "meta" and a.get("name") == "viewport"]
    assert any("width=device-width" in v for v in viewports)
    assert any(a.get("aria-live") for t, a in page.tags) and page.tags[0] == ("html", {"lang": "en"})


def wanted_temperatures():
    between = [10 ** (decimal.Decimal(k) / 10) for k in range(-40, 41)]
    return ["0"] + ["%.4g" % t if t < 10000 else "10000" for t in between] + ["inf"]


def softmax(logits, temperature):
    """Returns probabilities, the largest of them, entropy and log-sum-exp of finite logits."""
    top = max(logits)
    if temperature == 0:
        weights = [float(x == top) for x in logits]
    elif math.isinf(temperature):
        weights = [1.0] * len(logits)
    else:
        weights = [math.exp((x - top) / temperature) for x in logits]
    total = math.fsum(weights)
    p = [w / total for w in weights]
    entropy = -math.fsum(q * math.log(q) for q in p if q > 0)
    if temperature == 0:
        log_sum_exp = math.inf if top > 0 else -math.inf if top < 0 else math.log(total)
    else:
        log_sum_exp = top / temperature + math.log(total)
    return p, max(p), entropy, log_sum_exp


def is_rounded(text, number, allowed):
    """Tells whether the text is the number to four digits. `allowed` is the library's own error beside that of f32."""
    if math.isinf(number):
        return text == ("inf" if number > 0 else "-inf")
    shown = float(text)
    exponent = math.floor(math.log10(abs(number))) if number != 0 else -60
    return abs(shown - number) <= 0.5 * 10.0 ** (exponent - DIGITS + 1) + 4e-7 * abs(number) + allowed


def losses(logits, p, entropy, temperature):
    """Returns what rounding to f32 may change in the numbers of a row: each difference to the largest logit d is off by
    (1 + d) 2^-24 at most, and not at all where the logits are f32 (host/cli/run/relative_logits.h)."""
    if temperature in (0, math.inf) or all(f32(x) == x for x in logits):
        return [0.0] * len(logits), [0.0] * 3
    errors = [(1 + max(logits) - x) / temperature * 2.0**-24 for x in logits]
    mean = math.fsum(q * e for q, e in zip(p, errors))
    surprise = math.fsum(q * abs(math.log(q) + entropy) * e for q, e in zip(p, errors) if q > 0)
    return [q * (e + mean) for q, e in zip(p, errors)], [max(p) * 2 * mean, surprise, mean]


def check_case(case, logits, temperatures):
    order = range(len(logits))
    if case["rest"]:
        order = sorted(order, key=lambda c: (-logits[c], c))
    shown = len(case["items"]) - case["rest"]
    assert len(case["at"]) == len(temperatures) and len(case["logits"]) == len(case["items"])
    for i in range(shown):
        assert case["logits"][i] == "%.5g" % logits[order[i]], case["logits"]
    count, before = 0, None
    for text, temperature in zip(case["at"], temperatures):
        words = before if text == "" else text.split(" ")
        before = words
        p, *numbers = softmax(logits, f32(temperature))
        lost, of_numbers = losses(logits, p, numbers[1], f32(temperature))
        wanted, allowed = [p[order[i]] for i in range(shown)], [lost[order[i]] for i in range(shown)]
        if case["rest"]:
            wanted.append(math.fsum(p[c] for c in order[shown:]))
            allowed.append(math.fsum(lost[c] for c in order[shown:]))
        wanted += numbers
        allowed += of_numbers
        assert len(words) == len(wanted), text
        # the bounds in the public header for probabilities, entropy and log-sum-exp
        bounds = [2e-45] * (len(wanted) - 2) + [len(logits) * 2.0**-42, 30 * 2.0**-28]
        for i, (word, number, more) in enumerate(zip(words, wanted, map(sum, zip(allowed, bounds)))):
            place = "%s at T = %s" % (case["logits"], temperature)
            is_right = is_rounded(word, number, more)
            if i < len(words) - 2 and word == "1":  # a probability reads 1 only where it is 1 in f32
                is_right = 1 - number <= 2.0**-24 + more
            assert is_right, "%s: %s, but it is %r" % (place, word, number)
            count += 1
    return count


def check_samples(data):
    assert [o["name"] for o in data["options"]] == [str(n) for n in range(2, 11)]
    seen = set()
    for option in data["options"]:
        assert len(option["cases"]) == 20
        for case in option["cases"]:
            assert len(case["logits"]) == int(option["name"]) and all(0 <= float(x) <= 10 for x in case["logits"])
            seen.add(tuple(case["logits"]))
    assert len(seen) == 180, "samples that are equal"
    mean = sum(float(x) for s in seen for x in s) / sum(len(s) for s in seen)
    assert 4.7 < mean < 5.3, "mean of uniform numbers: %g" % mean


def main(path, rows_path=None):
    text = open(path, encoding="utf-8").read()
    page = Page(text)
    check_page(page, text)
    data = json.loads(page.data)
    assert data["digits"] == DIGITS and data["temperatures"] == wanted_temperatures(), data["temperatures"]
    examples = {"10 20 30": (10, 20, 30), "1 2 3": (1, 2, 3), "3 1 3": (3, 1, 3), "1000 1001 1002": (1000, 1001, 1002),
                "p = 0.25, 0.75": (math.log(0.25), math.log(0.75))}
    assert sorted(e["name"] for e in data["examples"]) == sorted(examples)
    count = sum(check_case(e, examples[e["name"]], data["temperatures"]) for e in data["examples"])
    if rows_path:
        rows = [[float(x) for x in line.split()] for line in open(rows_path)]
        assert len(data["options"]) == min(50, len(rows)), len(data["options"])
        for option, row in zip(data["options"], rows):
            case = option["cases"][0]
            assert case["rest"] == (len(row) > 100) and len(case["items"]) == min(100, len(row))
            count += check_case(case, row, data["temperatures"])
    else:
        check_samples(data)
        count += sum(check_case(c, [f32(x) for x in c["logits"]], data["temperatures"])
                     for o in data["options"] for c in o["cases"])
    print("%d numbers" % count)


try:
    main(*sys.argv[1:])
except AssertionError as error:
    sys.exit("%s: %s" % (sys.argv[1], error))
