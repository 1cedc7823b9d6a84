# SPDX-License-Identifier: MIT
"""The page of spimend analyze --html, whatever it was given: well formed, without scripts and without anything that is
fetched, its policy names its style sheet, its pictures have words, and nobody's name becomes markup."""
import base64
import hashlib
import os
import re
import shutil
import sys
import tempfile
from html.parser import HTMLParser

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from suite import run  # noqa: E402

VOID = {"meta", "br"}
ELEMENTS = VOID | set(
    "html head title style body header main footer section article p h1 h2 h3 span bdi a b code pre dl dt dd div ol ul li i figure"
    " figcaption table thead tbody tr th td details summary svg g text tspan rect line path desc".split())
ATTRIBUTES = set(
    "lang charset http-equiv content name class id href scope viewbox role aria-labelledby x y x1 y1 x2 y2 width height rx d dx"
    " text-anchor open".split())
HOSTILE = (
    "<script>document.title='bad'</script>", "\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>", "</title></style></svg><b>",
    "\u202egnp.exe", "\u2066x\u2069", "hub\u200b", "a\u009b31mb", "`code`<i>", "&#60;b&#62;", "javascript:alert(1)", "x" * 5000, "@H@C",
)


class Page(HTMLParser):
    """What is on a page, and what is wrong with it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.problems, self.ids, self.links, self.wanted, self.policy, self.style = [], [], [], [], [], None, ""
        self.text, self.pictures, self.cases = "", 0, 0
        self.feed(text)
        self.close()
        self.problems += [f"<{name}> is not closed" for name in self.open]
        self.problems += [f"id {one} is there twice" for one in sorted(set(self.ids)) if self.ids.count(one) > 1]
        self.problems += [f"no id {one}" for one in self.wanted + self.links if one not in self.ids]

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in ELEMENTS:
            self.problems.append(f"an element <{tag}>")
        for name in given:
            if name not in ATTRIBUTES:
                self.problems.append(f"an attribute {name} of <{tag}>")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        if "id" in given:
            self.ids.append(given["id"])
        if "href" in given:
            if not given["href"].startswith("#i-"):
                self.problems.append(f"a link to {given['href'][:60]}")
            self.links.append(given["href"][1:])
        if tag == "svg":
            self.pictures += 1
            self.wanted += given.get("aria-labelledby", "nothing").split()
        self.cases += tag == "article"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text += data

    def handle_comment(self, data):
        self.problems.append(f"a comment: {data[:60]}")

    def unknown_decl(self, data):
        self.problems.append(f"a declaration: {data[:60]}")


def problems_of(text):
    page = Page(text)
    problems = page.problems
    made = "'sha256-" + base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode() + "'"
    if f"style-src {made}; " not in (page.policy or "") or not page.policy.startswith("default-src 'none'; "):
        problems.append(f"the policy {page.policy!r} does not name the style sheet, whose hash is {made}")
    if re.search(r"url\(|@import|expression|https?:", page.style):
        problems.append("the style sheet fetches something")
    hidden = re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", text)
    if hidden:
        problems.append(f"characters that hide or turn text: {sorted(set(hidden))!r}")
    return page, problems


def pages(suite, spimend, name, files, options=(), status=(0, 1)):
    """The page, and what the program said, or None after a failure."""
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch:
        at = os.path.join(scratch, "page.html")
        result = run([spimend, "analyze", "--now", "2026-11-20T00:00:00Z", *options, "--html", at, *files], timeout=60)
        if result.status not in status or not os.path.exists(at):
            suite.fail(name, f"exit status {result.status}\n{result.tail()}")
            return None
        with open(at, encoding="utf-8") as file:  # which it must be
            return file.read()


def hostile_log(path):
    with open(path, "w", encoding="utf-8", newline="\n") as log:
        for number, name in enumerate(HOSTILE):
            for minute in (0, 2):
                log.write(f"Nov  3 09:{minute:02}:00.{number:03} {name.replace(' ', '_')} 10{number}: Nov  3 09:{minute:02}:00.{number:03}: "
                          f"%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=192.0.2.1, prot=50, "
                          f"spi=0x{0x30000000 + number:X}({0x30000000 + number}), srcaddr=198.51.100.{number + 1}, input interface={name}\n")
                log.write(f"Nov  3 09:{minute:02}:01 hub 11{number}: Nov  3 09:{minute:02}:01.000: %SYS-5-CONFIG_I: Configured from {name}\n")


def hostile(suite, spimend):
    test = "pages: hostile names stay text"
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch:
        log = os.path.join(scratch, "<b>'&\".log")
        hostile_log(log)
        text = pages(suite, spimend, test, [log])
    if text is None:
        return
    page, problems = problems_of(text)
    if page.cases < 5:
        problems.append(f"only {page.cases} incidents")
    problems += [f"{one} is not there as text" for one in ("<script>document.title='bad'</script>", "onerror=alert(1)>", "<b>'&\".log:1")
                 if one not in page.text]
    if "x" * 2100 in page.text:
        problems.append("an enormous name is shown whole")
    suite.judge(test, problems)
    in_a_browser(suite, text)


def in_a_browser(suite, text):
    """What a real one makes of the hostile page: its tree has our elements only, and nobody's script has run."""
    test = "pages: hostile names stay text in a real browser"
    browser = shutil.which("chromium")
    if not browser:
        suite.skip(test, "chromium is not installed")
        return
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch:
        at = os.path.join(scratch, "page.html")
        with open(at, "w", encoding="utf-8") as file:
            file.write(text)
        shown = run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--user-data-dir={scratch}/profile",
                     "--dump-dom", f"file://{at}"], timeout=60, env=dict(os.environ, HOME=scratch))
    tree = shown.out.decode("utf-8", "replace")
    page, problems = problems_of(tree)
    title = re.search("<title>(.*?)</title>", text)[1]
    if f"<title>{title}</title>" not in tree:
        problems.append(f"the title is another one: a script has run, or nothing was shown\n{shown.tail()}")
    if page.cases != text.count("<article "):
        problems.append(f"{page.cases} incidents in the browser's tree, {text.count('<article ')} in the page")
    suite.judge(test, problems)


def many(suite, spimend):
    test = "pages: of 1,200 incidents the worst are told, and what is left out is said"
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch:
        log = os.path.join(scratch, "many.log")
        with open(log, "w", encoding="utf-8") as file:
            for minute in (0, 2):
                for number in range(1200):
                    spi, at = 0x30010001 + number * 977, f"{number // 60:02}:{number % 60:02}.{minute}00"
                    file.write(
                        f"Nov  3 1{minute}:{at} hub 1: Nov  3 1{minute}:{at}: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC"
                        f" packet has invalid spi for destaddr=192.0.2.1, prot=50, spi=0x{spi:X}({spi}),"
                        f" srcaddr=10.{number // 200}.{number % 200}.1\n")
        text = pages(suite, spimend, test, [log])
    if text is None:
        return
    page, problems = problems_of(text)
    rows = text.count("<tr><td><span class=\"badge")
    if page.cases != 100 or rows != 1000 or len(page.links) != 100:
        problems.append(f"{page.cases} incidents in full, {rows} rows, {len(page.links)} links")
    problems += [f"not said: {words}" for words in ("200 more incidents found no room", "1100 are not") if words not in page.text]
    if len(text) > 6_000_000:
        problems.append(f"{len(text)} bytes")
    suite.judge(test, problems)


def run_pages(suite, spimend):
    cases = os.path.join(HERE, "cases")
    for name in sorted(os.listdir(cases)):
        command = os.path.join(cases, name, "cmd")
        folder = os.path.join(cases, name)
        logs = [os.path.join(folder, file) for file in sorted(os.listdir(folder)) if file.endswith(".log")]
        if not os.path.exists(command) or not logs:
            continue
        text = pages(suite, spimend, f"pages: {name}", logs, status=(0, 1, 2))
        if text is not None:
            suite.judge(f"pages: {name}", problems_of(text)[1])
    hostile(suite, spimend)
    many(suite, spimend)
