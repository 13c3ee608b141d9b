"""Every page that somebody can reach: from the start page along the links, one of each address's pattern."""

import os
import re
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROUTER = os.path.join(HERE, "..", "..", "web", "router.js")


def patterns():
    """The addresses of web/router.js: "/inquiries/{Id}"."""
    with open(ROUTER, encoding="utf-8") as source:
        found = re.findall(r'^  \["(/[^"?]*)", "\w+"', source.read(), re.M)
    assert len(found) > 25
    return found


def pattern_of(path):
    """The pattern that a path is of, the one with the fewest {…}; None: of none."""
    fits = [one for one in patterns()
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)]
    return min(fits, key=lambda one: one.count("{"), default=None)


def kind_of(address):
    """What of two addresses is the same page with other data: the pattern, and the view."""
    parts = urllib.parse.urlsplit(address)
    pattern, views = pattern_of(parts.path), urllib.parse.parse_qs(parts.query).get("View", [""])
    return pattern and pattern + (f"?View={views[0]}" if views[0] else "")


def links(browser):
    """Addresses of ours that the page leads to, also in menus that are closed."""
    found = browser.driver.execute_script(
        "return [...document.querySelectorAll('a[href]')].filter((a) => !a.hasAttribute('download')).map((a) => a.href)")
    return [one[len(browser.server.base):] for one in found
            if one.startswith(browser.server.base + "/") and "/assets/" not in one]


def walk(browser, visit, known=()):
    """visit(kind) at each page that is reached from the start page and is not known; gives the kinds of all."""
    waiting, known = ["/"], set(known)
    while waiting:
        address = waiting.pop(0)
        if kind_of(address) in known:
            continue
        browser.go(address)
        kind = kind_of(browser.path)
        if kind is None or kind in known:
            continue
        known.add(kind)
        for one in links(browser):
            if kind_of(one) and kind_of(one) not in known and kind_of(one) not in map(kind_of, waiting):
                waiting.append(one)
        visit(kind)
    return known
