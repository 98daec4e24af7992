"""A report as one page for people, made from its JSON alone: it stands in the bundle beside it. PURE.

No script, nothing fetched. It prints. Each number in it is in the JSON, and the log names the hash of both.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from rendering.measuring import words

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; color: #17201D; background: #FFFFFF; }
body { max-width: 900px; margin: 32px auto; padding: 0 20px; }
h1 { font-size: 27px; line-height: 1.2; } h2 { font-size: 17px; margin-top: 32px; } b { font-weight: 650; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #5A6661; padding-bottom: 8px; } th { font-size: 13px; color: #5A6661; }
th, td { text-align: left; padding: 7px 12px 7px 0; border-bottom: 1px solid #D8DCD5; vertical-align: top; }
td.n, th.n { text-align: right; } .kept { color: #11613A; } .missed { color: #A11B16; } .too_few { color: #744700; }
dt { font-weight: 650; margin-top: 10px; } dd { margin: 0; max-width: 75ch; }
code { font-size: .9em; overflow-wrap: anywhere; } .scroll { overflow-x: auto; } @media print { body { margin: 0; } }
"""
_MARKS: Final = {"kept": "✓ kept", "missed": "✕ missed", "too_few": "⊖ too few to judge"}


def page(report: Mapping[str, Any]) -> bytes:
    """The page of a report, UTF-8 HTML."""
    day = f"{report['from'][:10]} to {report['until'][:10]}"
    sessions = report["sessions"]
    parts = [
        f"<p>{escape(report['organisation'])} (<code>{escape(report['tenant'])}</code>), {escape(day)}, made "
        f"{escape(report['made_at'])}. Report <code>{escape(report['report'])}</code>.</p>",
        f"<p>{sessions['held']:,} sessions were held; {sessions['reported']:,} of their pages reported figures; "
        f"{sessions['judged']:,} were on the lines that the promises are about "
        f"({escape(', '.join(words.NETWORK_WORDS[name] for name in report['promised_networks']))}).</p>",
        "<h2>What was promised</h2>", _promises(report["promises"]),
        "<h2>By line</h2>", _cells([*report["every"], *report["networks"]]),
        "<h2>By line, path and region</h2>", _cells(report["cells"]),
        "<h2>How it was measured, and what it does not prove</h2><dl>",
        *(f"<dt>{escape(title)}</dt><dd>{escape(report['method'][name])}</dd>"
          for name, title in words.METHOD_WORDS.items()), "</dl>",
    ]
    text = ('<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(title(report))}</title><style>{_STYLE}</style><h1>{escape(title(report))}</h1>"
            f"{''.join(parts)}</html>\n")
    return text.encode()


def title(report: Mapping[str, Any]) -> str:
    """The finding, in one line."""
    found = [one["verdict"] for one in report["promises"]]
    missed, unjudged = found.count("missed"), found.count("too_few")
    if missed:
        return f"{missed} of {len(found)} promises missed"
    if unjudged == len(found):
        return "Too few sessions to judge a promise"
    return "Every promise kept" if not unjudged else f"No promise missed, {unjudged} with too few sessions to judge"


def _promises(promises: Sequence[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><b>{escape(words.TARGET_WORDS[one['name']])}</b></td>"
        f"<td class=n>{escape(words.told(one['value'], one['unit']))}</td>"
        f"<td class=n>{'at least' if one['is_floor'] else 'at most'} "
        f"{escape(words.told(one['limit'], one['unit']))}</td>"
        f"<td class=n>{one['count']:,}</td><td class={one['verdict']}><b>{_MARKS[one['verdict']]}</b></td></tr>"
        for one in promises)
    return ("<div class=scroll><table><tr><th>Promise<th class=n>Measured<th class=n>Limit<th class=n>Of how many"
            f"<th>Verdict</tr>{rows}</table></div>")


_COLUMNS: Final = (
    ("First sound", "response_ms", (50, 95, 99)), ("First picture", "ttff_ms", (50, 95, 99)),
    ("Frozen", "frozen_ppm", (95,)), ("Sound filled in", "concealed_ppm", (95,)),
)


def _cells(cells: Sequence[Mapping[str, Any]]) -> str:
    head = "".join(
        f"<th class=n>{escape(name)}, {percentile} %" for name, _figure, at in _COLUMNS for percentile in at)
    return (f"<div class=scroll><table><caption>“–”: too few values.</caption><tr><th>Sessions on<th class=n>Sessions"
            f"<th class=n>Answers{head}<th class=n>Verified</tr>{''.join(map(_row, cells))}</table></div>")


def _row(cell: Mapping[str, Any]) -> str:
    figures = cell["figures"]
    values = [f"{cell['sessions']:,}", f"{figures.get('response_ms', {}).get('count', 0):,}"]
    for _title, figure, at in _COLUMNS:
        unit = words.unit_of(figure)
        values += [words.told(figures.get(figure, {}).get(f"p{percentile}"), unit) for percentile in at]
    values.append(words.told(cell.get("verified_ppm"), "ppm"))
    name = words.group_name(cell["network"], cell["path"], cell["region"])
    return f"<tr><td>{escape(name)}</td>{''.join(f'<td class=n>{escape(one)}</td>' for one in values)}</tr>"
