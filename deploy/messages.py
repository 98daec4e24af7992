"""Compiles the translations: `python -m deploy.messages` writes each django.mo from its django.po, with Python alone,
so that nobody needs gettext's tools. A test compares them, and checks that no sentence of these pages is missing.
"""

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOCALE = REPOSITORY / "locale"
# What is translated as a whole: the public check, the viewer's page, and the notice before a viewer is perceived.
TEMPLATES = (
    "base.html", "provenance/check_*.html", "provenance/_check_*.html", "rendering/viewer*.html",
    "rendering/_viewer_*.html", "rendering/_perception_*.html",
)
MODULES = (
    "provenance/services/check_words.py", "provenance/views/check_pages.py", "rendering/services/perception_notice.py",
)
MAGIC = 0x950412DE
_TRANSLATE = re.compile(r"""{%\s*translate\s+(["'])(.+?)\1\s*%}""")
_BLOCK = re.compile(r"{%\s*blocktranslate[^%]*%}(.*?){%\s*endblocktranslate\s*%}", re.S)
_ENTRY = re.compile(r'^msgid ((?:"(?:[^"\\]|\\.)*"\s*)+)^msgstr ((?:"(?:[^"\\]|\\.)*"\s*)+)', re.M)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def wanted() -> set[str]:
    """Every sentence that the translated pages may show."""
    found: set[str] = set()
    for pattern in TEMPLATES:
        for path in (REPOSITORY / "templates").glob(pattern):
            text = path.read_text(encoding="utf-8")
            found |= {sentence for _, sentence in _TRANSLATE.findall(text)}
            found |= {re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", body.strip()) for body in _BLOCK.findall(text)}
    for name in MODULES:
        found |= set(_marked(ast.parse((REPOSITORY / name).read_text(encoding="utf-8"))))
    return found


def _marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "lazy"):
            yield ast.literal_eval(node.args[0])


def catalogs() -> dict[str, Path]:
    """Language code -> its django.po."""
    return {path.parent.parent.name: path for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))}


def read(path: Path) -> dict[str, str]:
    """Sentence -> translation; the entry of the empty sentence is the header. Contexts and plurals are not used here.

    Raises:
        ValueError: one sentence has two translations.
    """
    found: dict[str, str] = {}
    for sentence, translation in _ENTRY.findall(path.read_text(encoding="utf-8")):
        key = _unquoted(sentence)
        if key in found:
            raise ValueError(f"{path}: {key!r} is translated twice")
        found[key] = _unquoted(translation)
    return found


def _unquoted(text: str) -> str:
    joined = "".join(_QUOTED.findall(text))
    return joined.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def compiled(catalog: dict[str, str]) -> bytes:
    """The catalog as a GNU MO file: header, two tables of (length, offset), then the strings, each with a zero byte.

    Sentences without a translation are left out, so that the English one is shown.
    """
    pairs = sorted((key.encode(), value.encode()) for key, value in catalog.items() if value)
    tables_at = 28
    strings_at = tables_at + 16 * len(pairs)
    tables, strings = [], b""
    for column in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[column]), strings_at + len(strings)))
            strings += pair[column] + b"\0"
    head = struct.pack("<7I", MAGIC, 0, len(pairs), tables_at, tables_at + 8 * len(pairs), 0, strings_at)
    return head + b"".join(tables) + strings


def main() -> None:
    for path in catalogs().values():
        path.with_suffix(".mo").write_bytes(compiled(read(path)))
        print(f"wrote {path.with_suffix('.mo').relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
