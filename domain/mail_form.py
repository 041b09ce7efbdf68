"""How our mails look: a headline, facts, titled parts, links; as text and as HTML.

Every value may have been written by somebody else, so HTML is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["Facts", "Parts", "html_of", "text_of"]

Facts = Sequence[tuple[str, str]]
"""Names with their values."""

Parts = Sequence[tuple[str, Sequence[str]]]
"""Titles with their lines; several lines are a list."""


def text_of(headline: str, facts: Facts, parts: Parts, links: Sequence[str]) -> str:
    """The mail as plain text."""
    blocks = [headline]
    blocks += ["\n".join(f"{name}: {value}" for name, value in facts)] if facts else []
    for title, lines in parts:
        listed = lines if len(lines) == 1 else [f"- {each}" for each in lines]
        blocks.append("\n".join((f"{title}:", *listed)))
    blocks += ["\n".join(links)] if links else []
    return "\n\n".join(blocks) + "\n"


def html_of(headline: str, facts: Facts, parts: Parts, links: Sequence[str], colour: str) -> str:
    """The mail as HTML; ``colour`` is the headline's."""
    rows = "".join(
        f'<tr><td style="padding-right:16px;color:#666">{escape(name)}</td>'
        f"<td>{escape(value)}</td></tr>"
        for name, value in facts
    )
    body = [f'<h1 style="font-size:18px;color:{colour}">{escape(headline)}</h1>']
    body += [f"<table>{rows}</table>"] if rows else []
    for title, lines in parts:
        body.append(f'<h2 style="font-size:15px">{escape(title)}</h2>')
        if len(lines) == 1:
            body.append(f"<p>{escape(lines[0])}</p>")
        else:
            items = "".join(f"<li>{escape(each)}</li>" for each in lines)
            body.append(f"<ul>{items}</ul>")
    body += [f'<p><a href="{escape(each)}">{escape(each)}</a></p>' for each in links]
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;font-size:14px">'
        f"{''.join(body)}</body></html>"
    )
