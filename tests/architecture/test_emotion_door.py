"""Emotions reach a face through one door, the stage, which holds them to the signed grant. There is no second one."""

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STAGE = "rendering/worker/stage.py"
LOADING = "rendering/worker/loading.py"  # makes the performer and hands it over
# What moves a face to an emotion besides the performer's own method: the engine's parts that it is made of.
ENGINE_PARTS = {"rendering.engine.motion.expression", "rendering.engine.motion.controls", "rendering.engine.state"}


def trees(folder: str) -> dict[str, ast.Module]:
    return {
        str(path.relative_to(REPOSITORY)): ast.parse(path.read_text())
        for path in (REPOSITORY / folder).rglob("*.py") if "migrations" not in path.parts
    }  # fmt: skip


def calls(tree: ast.Module, name: str) -> list[ast.Call]:
    """Calls of a method or function of this name, and of one that was fetched by its name as a text."""
    return [
        node for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (
            (isinstance(node.func, ast.Attribute) and node.func.attr == name)
            or (isinstance(node.func, ast.Name) and node.func.id == name)
            or any(isinstance(argument, ast.Constant) and argument.value == name for argument in node.args)
        )
    ]  # fmt: skip


def performers_let_out(tree: ast.Module) -> Iterator[int]:
    """Lines that touch `.performer` other than to hand it to a Stage."""
    handed = {id(argument) for call in calls(tree, "Stage") for argument in call.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("performer", "_performer") and id(node) not in handed:
            yield node.lineno


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_only_the_stage_sets_an_emotion() -> None:
    assert {path for path, tree in trees("rendering").items() if calls(tree, "set_emotion")} == {STAGE}


def test_only_the_stage_and_its_maker_hold_the_performer() -> None:
    holders = {path for path, tree in trees("rendering/worker").items() if list(performers_let_out(tree))}
    assert holders == {STAGE, LOADING}


def test_only_the_stage_clamps_and_it_clamps_before_it_shows() -> None:
    worker = trees("rendering/worker")
    assert {path for path, tree in worker.items() if calls(tree, "clamp_emotion")} == {STAGE}
    show = next(n for n in ast.walk(worker[STAGE]) if isinstance(n, ast.FunctionDef) and n.name == "show")
    clamped, shown = calls(show, "clamp_emotion")[0], calls(show, "set_emotion")[0]  # type: ignore[arg-type]
    assert clamped.lineno < shown.lineno
    given = {ast.unparse(argument) for argument in shown.args}
    assert {"shown.emotion", "shown.shown_milli"} <= given


def test_the_worker_makes_no_face_of_its_own() -> None:
    for path, tree in trees("rendering/worker").items():
        assert not imported(tree) & ENGINE_PARTS, path


def test_the_limits_of_the_stage_are_those_of_the_permit() -> None:
    made = [call for tree in trees("rendering/worker").values() for call in calls(tree, "Stage")]
    assert [[ast.unparse(argument) for argument in call.args] for call in made] == [
        ["cast.performer", "permit.emotion_max_milli", "cast.emotion_caps_milli"]
    ]


def test_control_a_second_door_would_be_found() -> None:
    for bad in ("cast.performer.set_emotion('joy', 1000, 0)", "getattr(face, 'set_emotion')('joy', 1000, 0)"):
        assert calls(ast.parse(bad), "set_emotion")
    assert list(performers_let_out(ast.parse("face = cast.performer\nStage(cast.performer, limits)")))
    assert not list(performers_let_out(ast.parse("Stage(cast.performer, limits)")))
