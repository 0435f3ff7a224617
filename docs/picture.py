#!/usr/bin/env python3
"""Draws the output of the demo as a picture. From the root of the repository:

    crowdfold demo --for 60s | python3 docs/picture.py > docs/demo.svg

The picture shows the last view of the demo: the lines from "… s after the start" to the end of its tables.
"""
import re
import sys
from html import escape

WIDTH, LINE, MARGIN, TITLE = 8.0, 19, 20, 34


def view(text):
    """Returns the last complete view in the output of the demo."""
    views = re.split(r"\n(?=[\d.]+ s after the start\n)", text)
    last = views[-1].split("\nfinished after")[0]
    return last.rstrip().split("\n")


def css_class(line, before):
    """Returns the style of a line: headings of tables and headers of columns stand out."""
    if re.match(r"\S.*: \d+ rows, ", line):
        return "title"
    if re.match(r"\S.*: \d+ rows, ", before):
        return "head"
    return "note" if line.startswith("…") else "text"


def main():
    lines = view(sys.stdin.read())
    width = int(max(len(line) for line in lines) * WIDTH + 2 * MARGIN)
    height = len(lines) * LINE + TITLE + MARGIN
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" aria-label="The live table of crowdfold demo">\n'
        "<style>text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; "
        "white-space: pre; fill: #d8dee9 } .title { fill: #88c0d0; font-weight: bold } .head, .note { fill: #8f9bb3 } "
        ".bar { fill: #8f9bb3 }</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#20242c"/>\n'
        '<circle cx="20" cy="17" r="5" fill="#bf616a"/><circle cx="38" cy="17" r="5" fill="#ebcb8b"/>'
        '<circle cx="56" cy="17" r="5" fill="#a3be8c"/>\n'
        f'<text class="bar" x="{width / 2:.0f}" y="21" text-anchor="middle">crowdfold demo</text>'
    )
    before = ""
    for number, line in enumerate(lines):
        if line:
            y = TITLE + MARGIN - 6 + number * LINE
            # Each line has a fixed length, so columns stay aligned in any font.
            length = f'textLength="{len(line) * WIDTH:.0f}" lengthAdjust="spacingAndGlyphs"'
            style = css_class(line, before)
            print(f'<text class="{style}" x="{MARGIN}" y="{y}" xml:space="preserve" {length}>{escape(line)}</text>')
        before = line
    print("</svg>")


main()
