"""screenshots.py PAGE.html FOLDER [EXPRESSION...]: takes pictures of the page for ./dev pictures, wide and as on a
phone, light and dark, each after the JavaScript expressions were evaluated."""
import sys

from browser import Browser

page, folder = sys.argv[1:3]
browser = Browser()
try:
    for name, width, dark, phone in (("wide-light", 900, False, False), ("wide-dark", 900, True, False),
                                     ("phone-light", 360, False, True), ("phone-dark", 360, True, True)):
        browser.open(page, width=width, height=700, dark=dark, phone=phone)
        for expression in sys.argv[3:]:
            browser.evaluate(expression)
        browser.screenshot(f"{folder}/explore-{name}.png")
finally:
    browser.close()
