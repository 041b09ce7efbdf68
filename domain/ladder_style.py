"""Colours and type of a drawn ladder: plain classes, so that every viewer of SVG follows them."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

_LIGHT: Final = {
    "paper": "#ffffff",
    "box": "#f4f6f8",
    "edge": "#c4ccd4",
    "text": "#1b2026",
    "muted": "#59636e",
    "request": "#1857c4",
    "provisional": "#59636e",
    "success": "#17723a",
    "redirection": "#875c00",
    "failure": "#b91c26",
    "unreadable": "#7d3aa6",
}
_DARK: Final = {
    "paper": "#13171c",
    "box": "#1d232a",
    "edge": "#434d58",
    "text": "#e7eaee",
    "muted": "#a0aab5",
    "request": "#78adff",
    "provisional": "#a0aab5",
    "success": "#5fc97e",
    "redirection": "#e0b23f",
    "failure": "#ff8079",
    "unreadable": "#cf9bf0",
}
_KINDS: Final = ("request", "provisional", "success", "redirection", "failure", "unreadable")
_SANS: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MONO: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def _colours(named: dict[str, str]) -> str:
    rules = [
        f".paper{{fill:{named['paper']}}}",
        f".box{{fill:{named['box']};stroke:{named['edge']}}}",
        f".life,.pause{{stroke:{named['edge']}}}",
        f"text{{fill:{named['text']}}}",
        f"text.halo{{stroke:{named['paper']}}}",
        f"text.muted{{fill:{named['muted']}}}",
        f".pill{{fill:{named['paper']};stroke:{named['edge']}}}",
        f".remark{{stroke:{named['redirection']}}}",
    ]
    for kind in _KINDS:
        colour = named[kind]
        rules.append(f".{kind} line,.{kind} .open{{stroke:{colour}}}")
        rules.append(f".{kind} .closed{{fill:{colour}}}")
        rules.append(f".{kind} text.label{{fill:{colour}}}")
    for state, kind in (("good", "success"), ("poor", "redirection"), ("bad", "failure")):
        rules.append(f".band.{state} rect{{fill:{named['box']};stroke:{named[kind]}}}")
        rules.append(f".band.{state} text.word{{fill:{named[kind]}}}")
    return "".join(rules)


STYLE: Final = (
    f"text{{font-family:{_SANS};font-size:12px;font-variant-numeric:tabular-nums}}"
    f"text.mono{{font-family:{_MONO};font-size:11px}}"
    "text.title{font-size:16px;font-weight:600}"
    "text.name,text.label,text.word{font-size:13px;font-weight:600}"
    "text.small{font-size:11px}"
    "text.middle{text-anchor:middle}text.end{text-anchor:end}"
    "text.halo{paint-order:stroke;stroke-width:5px;stroke-linejoin:round}"
    ".box,.pill,.band rect{stroke-width:1}"
    ".life{stroke-width:1}.pause{stroke-width:1;stroke-dasharray:2 4}"
    ".arrow line{stroke-width:1.5}.answer line{stroke-dasharray:6 3}"
    ".open{fill:none;stroke-width:1.5}"
    ".remark{stroke-width:3}"
    ".again{stroke-dasharray:3 2}"
    + _colours(_LIGHT)
    + "@media screen and (prefers-color-scheme:dark){"
    + _colours(_DARK)
    + "}"
)
