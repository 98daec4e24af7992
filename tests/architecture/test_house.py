"""House rules a machine can check: doors, sizes, names, purity."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PRODUCT = ("trustcore", "consent", "provenance", "rendering")
TRUST_CODE = (
    "trustcore/primitives",
    "trustcore/audit",
    "trustcore/keys",
    "trustcore/policy",
    "provenance",
    "consent/identity",
    "consent/services",
    "rendering/worker/gate.py",
)


def product_files() -> Iterator[Path]:
    for package in PRODUCT:
        yield from (p for p in (REPOSITORY / package).rglob("*.py") if "migrations" not in p.parts)


def relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def holders_of(pattern: str) -> set[str]:
    """Product files whose code (comments and docstrings left out) matches."""
    wanted = re.compile(pattern)
    return {relative(p) for p in product_files() if wanted.search(ast.unparse(ast.parse(p.read_text())))}


def test_files_stay_small() -> None:
    long = {relative(p): n for p in product_files() if (n := len(p.read_text().splitlines())) > 420}
    assert not long, f"a room with too much in it: {long}"


def test_names_say_what_is_inside() -> None:
    vague = {"utils.py", "util.py", "helpers.py", "helper.py", "misc.py", "common.py", "manager.py"}
    assert not [relative(p) for p in product_files() if p.name in vague]


def test_no_broad_except_in_trust_code() -> None:
    found = []
    for path in product_files():
        if not relative(path).startswith(TRUST_CODE):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"(bare)"}
                if names & {"Exception", "BaseException", "(bare)"}:
                    found.append(f"{relative(path)}:{node.lineno}")
    assert not found


def test_sealed_frames_are_made_in_one_place() -> None:
    assert holders_of(r"\bSealedFrame\(") == {"provenance/manifests/seal.py"}


def test_transactions_are_opened_by_the_audit_door_alone() -> None:
    outside = {f for f in holders_of(r"transaction\.atomic|\batomic\(") if not f.startswith("trustcore/audit/")}
    assert not outside, f"use audit recording instead: {outside}"


def test_no_signals() -> None:
    assert not holders_of(r"django\.dispatch|post_save|pre_save|@receiver")


def test_no_pickle() -> None:
    assert not holders_of(r"\bpickle\b|torch\.load\(|allow_pickle=True")


def test_package_roots_are_empty() -> None:
    for package in PRODUCT:
        assert not (REPOSITORY / package / "__init__.py").read_text().strip()


REFUSING_HOOK = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "rest_framework", "celery", "psycopg", "allauth"}:
            raise ImportError("refused: " + name)
sys.meta_path.insert(0, Refuse())
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


@pytest.mark.parametrize("modules", [
    ["rendering.worker.main"], ["rendering.engine", "rendering.training.fit"],
    ["provenance.verify.__main__", "provenance.marks.embed", "provenance.marks.detect"], ["trustcore.tracker"],
], ids=lambda names: names[0])
def test_pure_packages_import_without_django(modules: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REFUSING_HOOK, *modules], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1500:]


def test_import_rules_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
