#!/usr/bin/env python3
"""Is a page whole, harmless and closed? Prints what is wrong with each of the HTML files that are named; the status is 1 then.

Checked by html.parser of the standard library: every element that must be closed is, in order; attributes and ids come once; images have alt text and are
data: URIs; nothing is loaded from outside or run from an attribute; links lead to places of the page, to files that are there, or by https to the archives."""
import html.parser
import os
import re
import sys
import urllib.parse

VOID = {"meta", "link", "img", "br", "input", "hr", "wbr"}
HOSTS = {"www.rcsb.org", "www.ebi.ac.uk", "enzyme.expasy.org", "www.cathdb.info"}
ELEMENTS = set("html head meta title link style body a header nav h1 h2 h3 p strong main section figure figcaption img span div dl dt dd table thead tbody tr th td button "
               "details summary code i ul li footer script input label select option noscript".split())


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.path, self.open, self.ids, self.links, self.wrong, self.images, self.seen = path, [], set(), [], [], 0, set()

    def bad(self, text):
        self.wrong.append(f"{self.path}, line {self.getpos()[0]}: {text}")

    def handle_decl(self, decl):
        if decl != "DOCTYPE html":
            self.bad(f"<!{decl}>")
        self.seen.add("doctype")

    def handle_starttag(self, tag, attrs):
        names, a = [k for k, _ in attrs], dict(attrs)
        self.seen.add(tag)
        if tag not in ELEMENTS:
            self.bad(f"element <{tag}>")
        if len(set(names)) != len(names):
            self.bad(f"<{tag}>: an attribute twice")
        for k, v in attrs:
            if k.startswith("on") or (k in ("href", "src") and v and re.match(r"\s*javascript:", v, re.I)):
                self.bad(f"<{tag} {k}={v!r}>: runs something")
        if "id" in a:
            if a["id"] in self.ids:
                self.bad(f"id {a['id']} twice")
            self.ids.add(a["id"])
        if tag == "img":
            self.images += 1
            if not a.get("alt") or not a.get("src", "").startswith("data:image/png;base64,"):
                self.bad("an image without text, or from elsewhere")
        if tag == "link" and a.get("href") != "data:,":
            self.bad(f"link to {a.get('href')}")
        if tag == "script" and "src" in a:
            self.bad(f"script from {a['src']}")
        if tag == "a":
            self.links.append(a.get("href", ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID or not self.open or self.open[-1] != tag:
            self.bad(f"</{tag}> closes {self.open[-1] if self.open else 'nothing'}")
        else:
            self.open.pop()

    def finish(self):
        self.close()
        if self.open:
            self.bad(f"not closed: {self.open}")
        for need in ("doctype", "html", "title", "main", "h1"):
            if need not in self.seen:
                self.bad(f"no {need}")
        for link in self.links:
            u = urllib.parse.urlsplit(link)
            if link.startswith("#"):
                if link[1:] not in self.ids:
                    self.bad(f"{link} leads nowhere")
            elif u.scheme == "https":
                if u.hostname not in HOSTS:
                    self.bad(f"link to {link}")
            elif u.scheme == "data":
                pass
            elif u.scheme or not os.path.exists(os.path.join(os.path.dirname(self.path), urllib.parse.unquote(u.path))):
                self.bad(f"{link[:100]} is not there")
        return self.wrong


def main():
    wrong = []
    for path in sys.argv[1:]:
        p = Page(path)
        with open(path, encoding="utf-8", errors="strict") as f:
            text = f.read()
        p.feed(text)
        wrong += p.finish()
        if "default-src 'none'" not in text:
            wrong.append(f"{path}: no policy")
        for css in re.findall(r"<style>(.*?)</style>", text, re.S):
            if re.search(r"url\(|@import", css):
                wrong.append(f"{path}: style from elsewhere")
        print(f"{path}\t{p.images} images\t{len(p.links)} links")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
