"""A headless Chromium, where one is installed: Debian's, or the one that CHROMIUM names."""

import os
import shutil
from contextlib import contextmanager
from importlib import resources

import pytest

WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")


def chromium():
    """The path of the browser; None if there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextmanager
def headless():
    """A browser, or a skip that says what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    if chromium() is None:
        pytest.skip("no Chromium is installed: apt-get install chromium, or set CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium())
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, *, width=1280, scheme="light", **context):
    """The page of a file; on leaving, it must have asked for nothing else and complained of nothing."""
    tab = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **context
    )
    page, asked, complaints = tab.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    yield page
    assert {url.split("#")[0] for url in asked} == {path.as_uri()}
    assert complaints == []
    tab.close()


def violations(page):
    """What axe-core finds: the rule, and where; what is within an image is not gone through."""
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    page.evaluate(axe)
    run = "axe.run({exclude: [['[role=img] > *']]}).then((found) => found.violations)"
    found = page.evaluate(run)
    return [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]
