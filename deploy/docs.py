"""Writes the tables that documents take from code: errors, events and state diagrams. `python -m deploy.docs` rewrites
them; a test compares them with what stands in docs/.
"""

import importlib
import os
import pkgutil
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("trustcore", "consent", "provenance", "rendering")
LEFT_OUT = re.compile(r"(\.migrations|\.management|\.__main__|^trustcore\.tracker\.inside|\.wsgi$|\.asgi$)")


def all_modules() -> Iterator[str]:
    for package in PACKAGES:
        for info in pkgutil.walk_packages([str(REPOSITORY / package)], f"{package}."):
            if not LEFT_OUT.search(info.name):
                yield info.name


def error_classes() -> list[type]:
    from trustcore.primitives.errors import TrustcoreError

    def below(cls: type) -> Iterator[type]:
        for child in cls.__subclasses__():
            yield child
            yield from below(child)

    ours = {cls for cls in below(TrustcoreError) if cls.__module__.startswith(tuple(f"{name}." for name in PACKAGES))}
    return sorted(ours, key=lambda c: (c.code, c.__name__))  # type: ignore[attr-defined]


def errors_table() -> str:
    from trustcore.primitives.errors import Refusal
    from trustcore.web import problems

    rows = ["| code | kind | HTTP | meaning |", "|---|---|---|---|"]
    for cls in error_classes():
        kind = "refusal" if issubclass(cls, Refusal) else "fault"
        meaning = (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        rows.append(f"| `{cls.code}` | {kind} | {problems.status_of(cls.code)} | {re.sub(' +', ' ', meaning)} |")  # type: ignore[attr-defined]
    return "\n".join(dict.fromkeys(rows))


def events_table() -> str:
    from trustcore.audit.actions import Action, meaning

    rows = ["| event | written when |", "|---|---|"]
    rows += [f"| `{action.value}` | {meaning(action)} |" for action in sorted(Action, key=lambda a: a.value)]
    return "\n".join(rows)


def diagrams() -> str:
    from trustcore.primitives.states import Machine, mermaid

    machines: dict[str, Machine] = {}
    for name in ("consent.states", "provenance.states", "rendering.states", "trustcore.jobs.states"):
        module = importlib.import_module(name)
        machines.update((m.name, m) for m in vars(module).values() if isinstance(m, Machine))
    return "\n\n".join(f"### {name}\n\n```mermaid\n{mermaid(machines[name])}\n```" for name in sorted(machines))


TABLES = {"errors.md": errors_table, "events.md": events_table, "flow.md": diagrams}


def replaced(text: str, table: str) -> str:
    """`text` with the part between the two markers replaced."""
    return re.sub(
        r"(<!-- from code -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{table}\n{m[2]}", text, flags=re.S)


def load() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trustcore.settings")
    import django

    django.setup()
    for name in all_modules():
        importlib.import_module(name)


def main() -> None:
    for secret in ("TRUSTCORE_SECRET_KEY", "TRUSTCORE_ROOT_KEK"):  # settings demand them; no table uses them
        os.environ.setdefault(secret, secrets.token_hex(32))
    load()
    for name, table in TABLES.items():
        path = REPOSITORY / "docs" / name
        path.write_text(replaced(path.read_text(), table()))
        print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
