"""check_browser.py PAGE.html CLSOFTMAX [--rows]: uses the page of clsoftmax explore in headless Chromium as a reader
would. The oracle is clsoftmax run on the logits that the page shows, to the digits shown. With --rows it is a page of
an INPUT, whose logits are shown rounded, so that only its examples are compared. cli/explore.bats plants faults for
it."""
import os
import subprocess
import sys

from browser import Browser

READ = """(() => {
  const text = e => e.textContent, all = s => [...document.querySelectorAll(s)];
  return {temperature: text(document.querySelector("#temperature-text")),
          status: text(document.querySelector("#status")),
          logits: all("#bars tbody .logits .number").map(text),
          probabilities: all("#bars tbody .probabilities .number").map(text),
          shares: all("#bars tbody .probabilities").map(c => c.querySelector(".bar").getBoundingClientRect().width /
                                                             c.querySelector(".track").getBoundingClientRect().width),
          numbers: all("#numbers tbody tr").map(r => [...r.querySelectorAll("td")].map(text)),
          value: document.querySelector("#temperature").getAttribute("aria-valuetext"),
          label: text(document.querySelector("#label")),
          marked: all("#bars .label th").map(text), names: all("#bars tbody th").map(text),
          choice: text(document.querySelector("#choice-text")), note: text(document.querySelector("#case")),
          wide: document.documentElement.scrollWidth - innerWidth};
})()"""


def probability_text(number):
    """Returns a probability as the page writes it: to four digits, or to more where it is below 1 and would read 1."""
    texts = ("%.*g" % (digits, number) for digits in range(4, 18))
    return next(t for t in texts if t != "1" or number == 1)


class Reader:
    def __init__(self, browser, page, program):
        self.browser, self.page, self.program, self.checks = browser, page, program, 0

    def run(self, logits, temperature, *options):
        command = [self.program, "run", "-d", "cpu", "-T", temperature, "-", *options]
        return subprocess.run(command, input=" ".join(logits), capture_output=True, text=True, check=True).stdout

    def numbers_of(self, logits, temperature):
        """Returns the largest probability, entropy and log-sum-exp, as the page writes them."""
        names, values = (line.split() for line in self.run(logits, temperature, "--stats").splitlines())
        by_name = dict(zip(names, values))
        return [probability_text(float(by_name["largest_probability"]))] + \
            ["%.4g" % float(by_name[n]) for n in ("entropy", "log_sum_exp")]

    def check(self):
        """Compares what the page shows now with what the library computes."""
        seen = self.browser.evaluate(READ)
        assert seen["temperature"].startswith("T = "), seen
        temperature = seen["temperature"][4:].replace("∞", "inf")
        logits = seen["logits"]
        if "Probabilities" in seen["note"]:
            logits = ["-1.38629436", "-0.287682086"]
        wanted = [probability_text(float(p)) for p in self.run(logits, temperature).split()]
        told = seen["temperature"], seen["probabilities"], wanted
        assert seen["probabilities"] == wanted, "%s: %s is shown, and is %s" % told
        for share, p in zip(seen["shares"], wanted):
            assert abs(share - float(p)) < 0.01, "a bar of %g for %s" % (share, p)
        columns = [self.numbers_of(logits, t) for t in ("0", temperature, "inf")]
        numbers = [list(row) for row in zip(*columns)]
        assert seen["numbers"] == numbers, "%s: %s, not %s" % (seen["temperature"], seen["numbers"], columns)
        assert seen["value"] == ("infinity" if temperature == "inf" else temperature), seen["value"]
        assert columns[1][0] in seen["status"] and seen["temperature"] in seen["status"], seen["status"]
        assert seen["wide"] <= 0, "wider than the window by %d pixels" % seen["wide"]
        self.checks += 1
        return seen

    def focus(self, element):
        self.browser.evaluate("document.querySelector('%s').focus()" % element)

    def press(self, key, times=1):
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9, "Enter": 13, "PageDown": 34}
        for _ in range(times):
            self.browser.press(key, codes[key])


def move_temperature(reader):
    reader.focus("#temperature")
    assert reader.check()["temperature"] == "T = 1"
    for key, wanted in (("ArrowRight", "T = 1.259"), ("ArrowRight", "T = 1.585"), ("ArrowLeft", "T = 1.259"),
                        ("Home", "T = 0"), ("ArrowRight", "T = 0.0001"), ("End", "T = ∞"),
                        ("ArrowLeft", "T = 10000")):
        reader.press(key)
        shown = reader.check()["temperature"]
        assert shown == wanted, "%s leads to %s, not %s" % (key, shown, wanted)
    for step in range(0, 81, 9):
        reader.press("ArrowLeft", 9)
        reader.check()
    for name in ("0", "10", "inf", "1"):
        reader.browser.click("document.querySelector('[data-temperature=\"%s\"]')" % name)
        assert reader.check()["temperature"] == "T = " + name.replace("inf", "∞")
    reader.browser.click("document.querySelector('#temperature')")
    assert reader.check()["temperature"] == "T = 1", "the middle of the slider"


def change_items(reader):
    reader.focus("#choice")
    reader.press("Home")
    for items in range(2, 11):
        seen = reader.check()
        assert seen["choice"] == str(items) and len(seen["logits"]) == items, seen
        reader.press("ArrowRight")
    first, seen = reader.check()["logits"], set()
    for _ in range(20):
        seen.add(tuple(reader.check()["logits"]))
        reader.browser.click("document.querySelector('#next')")
    assert len(seen) == 20 and reader.check()["logits"] == first, "the button walks %d samples" % len(seen)
    reader.focus("#next")
    reader.press("Enter")
    assert reader.check()["logits"] != first, "Enter on the button"


def check_label(seen):
    """Checks what is said of the true label against the row that is marked and the largest logit that is shown."""
    if not seen["label"]:
        return
    logits = [float(x) if x else float("-inf") for x in seen["logits"]]
    prediction, label = seen["names"][logits.index(max(logits))], seen["marked"]
    wanted = "True label: %s. Prediction: %s, which is %s." % (
        label[0], prediction, "right" if label[0] == prediction else "wrong")
    assert len(label) == 1 and seen["label"] == wanted, "%s, not %s" % (seen["label"], wanted)


def change_rows(reader):
    count = reader.browser.evaluate("Number(document.querySelector('#choice').max) + 1")
    reader.focus("#choice")
    reader.press("End")
    last = reader.browser.evaluate(READ)["probabilities"]
    reader.browser.click("document.querySelector('#next')")
    first = reader.browser.evaluate(READ)
    check_label(first)
    assert first["wide"] <= 0 and first["probabilities"] and (count == 1 or first["probabilities"] != last), first


def show_examples(reader):
    for i in range(5):
        reader.browser.click("document.querySelector('[data-example=\"%d\"]')" % i)
        for temperature in ("0", "1", "10", "inf"):
            reader.browser.click("document.querySelector('[data-temperature=\"%s\"]')" % temperature)
            assert reader.check()["choice"] == "–"


def check_names(browser):
    """Checks the names that a screen reader is told."""
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    sliders = [n["name"]["value"] for n in nodes if n.get("role", {}).get("value") == "slider"]
    assert len(sliders) == 2 and "T" in sliders and all(sliders), sliders
    buttons = [n["name"]["value"] for n in nodes if n.get("role", {}).get("value") == "button"]
    assert len(buttons) == 10 and all(buttons), buttons


def check_quiet(browser, page):
    assert browser.console == [], "on the console: %s" % browser.console
    own = ("file://" + os.path.abspath(page), "about:blank")
    others = [r for r in browser.requests if not r.startswith("data:") and r not in own]
    assert others == [], "asked for: %s" % others


def main(page, program, rows=""):
    browser = Browser()
    try:
        browser.open(page)
        reader = Reader(browser, page, program)
        if not rows:
            move_temperature(reader)
        (change_rows if rows else change_items)(reader)
        show_examples(reader)
        check_names(browser)
        check_quiet(browser, page)
        browser.open(page, width=360, height=700, dark=True, phone=True)
        (change_rows if rows else change_items)(reader)
        show_examples(reader)
        check_quiet(browser, page)
        # a request must be forbidden by the page's policy, and check_quiet would see it
        browser.evaluate("fetch('https://example.invalid/').catch(() => 0)")
        browser.evaluate("new Promise(done => setTimeout(done, 200))")
        is_forbidden = any("Content Security Policy" in line for line in browser.console)
        assert is_forbidden, "nothing forbids a request: %s" % browser.console
        print("%d looks" % reader.checks)
    finally:
        browser.close()


try:
    main(*sys.argv[1:])
except AssertionError as error:
    sys.exit("%s: %s" % (sys.argv[1], error))
