"""The quality report as one file that opens anywhere: figures, pictures, film and model card in a single HTML page."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from typing import Any

from rendering.training import model_card

_PARTS = (
    ("comparison.mp4", "Filmed, never shown to training, beside the replica of the same moments"),
    ("held_out.png", "Filmed | replica | difference, four times | nearest filmed frame"),
    ("error_map.png", "Where it errs: bright is wrong"),
    ("lips_and_sound.png", "Sound above, lips below"),
    *((f"emotion_{name}.png", f"{name} at 0, 250, 500, 750 and 1000; hatched: never shown live") for name in (
        "joy", "sadness", "anger", "surprise", "fear", "disgust", "contempt")),
    ("portrait.png", "At rest"),
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem;color:#17201d}"
    "img,video{width:100%;border-radius:8px}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:6px 12px 6px 0;border-bottom:1px solid #d8dcd5}figure{margin:2rem 0}"
    "figcaption{color:#5a6661;margin-bottom:.4rem}"
)


def page(report: Mapping[str, Any], pictures: Mapping[str, bytes], title: str) -> str:
    """The page. Pictures that are missing are left out; a part of the report that is missing is said to be."""
    name = html.escape(title)
    cards = "".join(
        f"<h2>{html.escape(section.title)}</h2>" + "".join(f"<p>{html.escape(one)}</p>" for one in section.sentences)
        for section in model_card.sections(dict(report))
    )
    figures = "".join(_figure(file, words, pictures[file]) for file, words in _PARTS if file in pictures)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{name}</h1>{_table(report.get('quality') or {})}{figures}{cards}</html>\n"
    )


def _table(quality: Mapping[str, Any]) -> str:
    """Held-out figures against each other method that the report measured."""
    methods = {key: value for key, value in quality.items() if isinstance(value, Mapping) and value}
    names = list(dict.fromkeys(name for row in methods.values() for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    rows = "".join(
        f"<tr><th>{html.escape(method.replace('_', ' '))}</th>"
        + "".join(f"<td>{html.escape(str(row.get(name, '')))}</td>" for name in names) + "</tr>"
        for method, row in methods.items()
    )
    return f"<table><tr><th></th>{head}</tr>{rows}</table>"


def _figure(file: str, words: str, content: bytes) -> str:
    data = base64.b64encode(content).decode()
    if file.endswith(".mp4"):
        shown = f'<video controls loop src="data:video/mp4;base64,{data}"></video>'
    else:
        shown = f'<img alt="{html.escape(words)}" src="data:image/png;base64,{data}">'
    return f"<figure><figcaption>{html.escape(words)}</figcaption>{shown}</figure>"
