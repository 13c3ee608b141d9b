"""Every page of each role, found along the links from its start page: at 1280 and at 390 px, in light and in
dark, without a violation of axe-core's rules and without sideways scroll."""

import pytest

from big_world import BigWorld, Receivers
from browser import Browser
from harness.server import World
from walk import patterns, walk


@pytest.fixture(scope="module")
def filled(server):
    with Receivers() as receivers:
        yield BigWorld(World(server), receivers).fill(inquiries=60, postbacks=520, accounts=6, sales=3)


ROLES = ["nobody", "partner", "brand", "operator"]
REACHED = {}  # the pages of each, once they were walked
HELP = {"/help", "/help/{Section}"}


def look(browser, kind):
    """Colours are the only thing that light and dark differ in."""
    for width in ("desktop", "phone"):
        browser.resize(width)
        browser.settled()
        try:
            browser.until(browser.is_narrow_enough, "the page to fit", timeout=5)  # charts follow the window
            browser.check_accessibility(dark=["color-contrast"])
        except AssertionError as error:
            browser.picture("every-page-" + "".join(c if c.isalnum() else "-" for c in kind))
            raise AssertionError(f"{kind} at the width of a {width}: {error}") from error
    browser.resize("desktop")


def reached(chromium, server, filled, role, visit):
    """The patterns of the pages that one of this role comes to; each is visited."""
    browser = Browser(chromium, server, "desktop")
    if role != "nobody":
        browser.become(browser.user(getattr(filled.world, role), "ADMIN"))
    elsewhere = set() if role == "nobody" else HELP  # it is the same for everybody
    REACHED[role] = {kind.split("?")[0] for kind in walk(browser, lambda kind: visit(browser, kind), elsewhere)}
    browser.close()


@pytest.mark.parametrize("role", ROLES)
def test_every_page_fits_and_is_accessible(chromium, server, filled, role):
    wrong = []

    def visit(browser, kind):
        try:
            look(browser, kind)
        except AssertionError as error:  # all that is wrong is told at once
            wrong.append(str(error))
    reached(chromium, server, filled, role, visit)
    assert not wrong, "\n\n".join(wrong)


def test_every_page_is_reached_by_a_link_or_is_for_everybody(chromium, server, filled):
    """What no page leads to is opened by an address that was given to one: then it is for those who are not signed in."""
    for role in set(ROLES) - set(REACHED):  # this test may run alone
        reached(chromium, server, filled, role, lambda browser, kind: None)
    browser, wrong = Browser(chromium, server, "desktop").go("/sign-in"), []
    for pattern in sorted(set(patterns()) - set().union(*REACHED.values())):
        path = pattern.replace("{", "").replace("}", "")
        browser.go(path)
        if browser.path.split("?")[0] == path:
            look(browser, pattern)
        else:
            wrong.append(pattern)
    assert not wrong, f"no page leads there: {wrong}"
    browser.close()
