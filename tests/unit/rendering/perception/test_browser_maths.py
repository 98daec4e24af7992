"""The page's own maths, in node, against the readable truth in numpy; and what its sources may not do."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rendering.perception import affect, face, voice
from rendering.perception.units import ACTION_UNITS, EMOTIONS, PROTOTYPES, WEAK_UNITS
from rendering.perception.vectors import EVENT_TYPE, MAX_MESSAGE_CHARS, MAX_NUMBERS, read_vector
from rendering.worker.perceived import PREFIX, REVOKED
from tests.common.in_node import in_node, needs_node

VIEWER = Path(__file__).resolve().parents[4] / "trustcore/static/js/viewer"
SOURCES = VIEWER / "perception"

SCRIPT = """
import { createResting, frameOf, turnFrom, unitsOf, unitsSure } from "FOLDER/face.js";
import { affectOf, affectSure, smoothed } from "FOLDER/affect.js";
import { arousalOf, createMeter, lookAt } from "FOLDER/voice.js";
import { messageOf, partsOf, REVOKED } from "FOLDER/vectors.js";
import { readFileSync } from "node:fs";
const given = JSON.parse(readFileSync(0, "utf8"));
const resting = createResting();
const units = [];
const faces = given.faces.map((points, k) => {
  const frame = frameOf(points);
  resting.add(frame, k / 2);
  const told = { features: frame.features, pitch: frame.pitch, yaw: frame.yaw };
  if (resting.face === null) return told;
  units.push(unitsOf(frame.features, resting.face.features));
  const now = smoothed(units);
  const turn = turnFrom(frame, resting.face);
  const shown = affectOf(now);
  const sure = unitsSure(turn);
  return { ...told, units: now, sure, affect: shown, affectSure: affectSure(shown, sure[0]) };
});
const last = faces.at(-1);
const looks = given.windows.map(lookAt);
const usual = looks.filter((look) => look.pitch > 0);
const parts = partsOf({
  face: { units: last.units, unitsSure: last.sure, affect: last.affect, affectSure: last.affectSure },
  voice: { arousal: 0.7, sure: 0.4 },
});
console.log(JSON.stringify({
  faces, looks, arousal: arousalOf(looks, usual), message: messageOf("t".repeat(22), 1, parts), revoked: REVOKED,
  voiceOnly: messageOf("t".repeat(22), 2, partsOf({ face: null, voice: { arousal: 2, sure: -1 } })),
}));
"""


def faces(count: int = 20) -> Any:
    """[count, 468, 3] points of no face: the maths does not mind."""
    rng = np.random.default_rng(5)
    base = rng.normal(size=(face.POINT_COUNT, 3)) * [40, 60, 20] + [192, 192, 0]
    base[face.RIGHT_CORNER], base[face.LEFT_CORNER] = (130, 150, 5), (254, 152, 3)
    base[face.NOSE_BASE] = (192, 230, -30)
    return np.round(base + rng.normal(size=(count, face.POINT_COUNT, 3)) * 0.5, 4)


def windows(count: int = 60) -> Any:
    rng = np.random.default_rng(6)
    t = np.arange(voice.WINDOW) / voice.RATE_HZ
    out = []
    for k in range(count):
        hz, loud = 100 + 2 * k, 0.0 if k % 7 == 0 else 0.05 + 0.002 * k
        tone = np.sin(2 * np.pi * hz * t) + 0.5 * np.sin(4 * np.pi * hz * t)
        out.append(loud * tone + rng.normal(size=len(t)) * 1e-4)
    return np.round(np.array(out), 6)


@pytest.fixture(scope="module")
def told() -> Any:
    return in_node(
        SCRIPT.replace("FOLDER", str(SOURCES)), told={"faces": faces().tolist(), "windows": windows().tolist()},
        within_s=60)


@needs_node
def test_the_browser_reads_a_face_as_numpy_does(told: Any) -> None:
    resting, units, compared = face.Resting(), [], 0
    for k, (points, mine) in enumerate(zip(faces(), told["faces"], strict=True)):
        frame = face.frame_of(points)
        resting.add(frame, k / 2)
        np.testing.assert_allclose(mine["features"], frame.features, atol=1e-9)
        np.testing.assert_allclose([mine["pitch"], mine["yaw"]], [frame.pitch, frame.yaw], atol=1e-9)
        if resting.face is None:
            assert "units" not in mine
            continue
        units.append(face.units_of(frame.features, resting.face.features))
        now, sure = affect.smoothed(units), face.units_sure(frame.turn_from(resting.face))
        shown = affect.affect_of(now)
        np.testing.assert_allclose(mine["units"], now, atol=1e-9)
        np.testing.assert_allclose(mine["sure"], sure, atol=1e-9)
        np.testing.assert_allclose(mine["affect"], shown, atol=1e-9)
        assert mine["affectSure"] == pytest.approx(affect.affect_sure(shown, sure[0]), abs=1e-9)
        compared += 1
    assert compared > 10


@needs_node
def test_the_browser_hears_a_voice_as_numpy_does(told: Any) -> None:
    looks = [voice.look_at(samples) for samples in windows()]
    assert sum(look.pitch > 0 for look in looks) > 40
    for mine, truth in zip(told["looks"], looks, strict=True):
        assert mine["levelDb"] == pytest.approx(truth.level_db, abs=1e-6)
        assert mine["pitch"] == pytest.approx(truth.pitch, abs=1e-6)
    truth = voice.arousal_of(looks, [look for look in looks if look.pitch > 0])
    assert told["arousal"] == pytest.approx(truth, abs=1e-9) and truth[1] > 0


@needs_node
def test_what_the_browser_sends_is_what_the_worker_reads(told: Any) -> None:
    for text in (told["message"], told["voiceOnly"]):
        assert text.startswith(PREFIX) and len(text) <= MAX_MESSAGE_CHARS
        message = json.loads(text)
        assert message["event_type"] == EVENT_TYPE
        read_vector(message["properties"], "full")
        assert len(re.findall(r"[:,\[]-?\d+", text)) <= MAX_NUMBERS
    assert told["revoked"].startswith(PREFIX) and json.loads(told["revoked"]) == {"event_type": REVOKED}


def test_nothing_in_these_sources_could_send_a_picture() -> None:
    """Raw video never leaves: no track goes onto a connection, no canvas is read, one place posts one small word."""
    forbidden = (
        r"RTCPeerConnection|addTrack|addTransceiver|replaceTrack|captureStream|MediaRecorder|toDataURL|toBlob|"
        r"getImageData|convertToBlob|ImageCapture|XMLHttpRequest|WebSocket|sendBeacon|EventSource|WebTransport"
    )
    for path in sorted(SOURCES.glob("*.js")):
        text = path.read_text()
        assert not re.search(forbidden, text), path.name
        assert ("fetch(" in text) == (path.name == "panel.js"), path.name
        assert ("getUserMedia" in text) == (path.name == "frame.js"), path.name
    assert "body: JSON.stringify({ word })" in (SOURCES / "panel.js").read_text()


def test_no_video_of_the_viewer_is_put_on_the_connection() -> None:
    for path in sorted(VIEWER.glob("*.js")):
        text = path.read_text()
        assert "perception/" not in text, f"{path.name} must not load what perceives"
        for line in text.splitlines():
            if "addTransceiver(\"video\"" in line:
                assert "recvonly" in line, path.name
        assert not re.search(r"getVideoTracks|addTrack\(", text), path.name


def test_prototypes_are_made_of_units_and_the_weak_ones_decide_nothing() -> None:
    assert set(PROTOTYPES) == set(EMOTIONS) == set(affect.NEEDS)
    assert all(set(units) <= set(ACTION_UNITS) for units in PROTOTYPES.values())
    sure = dict(zip(ACTION_UNITS, face.units_sure(0.0), strict=True))
    assert all(sure[unit] == (0.5 if unit in WEAK_UNITS else 1.0) for unit in ACTION_UNITS)
    for unit in WEAK_UNITS:
        alone = np.array([1.0 if one == unit else 0.0 for one in ACTION_UNITS])
        assert affect.affect_of(alone).max() == 0.0


@pytest.mark.parametrize(
    ("units", "emotion"),
    [((6, 12), "joy"), ((1, 4, 15), "sadness"), ((4, 5, 7), "anger"), ((1, 2, 5, 26), "surprise"), ((9,), "disgust")],
)
def test_a_prototype_is_read_as_its_emotion(units: tuple[int, ...], emotion: str) -> None:
    shown = affect.affect_of(np.array([1.0 if unit in units else 0.0 for unit in ACTION_UNITS]))
    assert EMOTIONS[int(shown.argmax())] == emotion and shown.max() >= 0.35


def test_a_turned_head_says_nothing() -> None:
    assert face.units_sure(0.1)[0] == 1.0 and face.units_sure(0.7).max() == 0.0
