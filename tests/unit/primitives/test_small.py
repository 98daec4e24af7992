"""Canonical bytes, ids, states, notes: the small pieces everything stands on."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustcore.primitives import checkpoints, clock, ids
from trustcore.primitives.canonical import canonical_bytes, from_canonical
from trustcore.primitives.errors import InvalidTransition, ProofInvalid, SignatureInvalid
from trustcore.primitives.hashing import commitment
from trustcore.primitives.signing import SigningKey, b64, unb64
from trustcore.primitives.states import Machine, mermaid, next_state

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12,
)
LAMP = Machine("lamp", "off", {("off", "switched_on"): "on", ("on", "switched_off"): "off", ("on", "broken"): "broken"})
KEY = SigningKey(b"\x05" * 32)
ORIGIN = "trustcore.example/log"


@given(JSON)
def test_canonical_round_trip(value: object) -> None:
    assert from_canonical(canonical_bytes(value)) == value


def test_a_second_spelling_is_refused() -> None:
    assert canonical_bytes({"b": 1, "a": 2}) == b'{"a":2,"b":1}'
    with pytest.raises(ValueError, match="canonical"):
        from_canonical(b'{"b":1,"a":2}')
    with pytest.raises(ValueError, match="canonical"):
        canonical_bytes(float("nan"))


@given(st.binary(max_size=50))
def test_base64_round_trip(data: bytes) -> None:
    assert unb64(b64(data)) == data


def test_ids_say_what_they_name_and_sort_by_time() -> None:
    assert ids.new_id("replica").startswith("r")
    assert len(ids.new_id("conversation")) == 17
    assert ids.new_uuid7(1000) < ids.new_uuid7(2000)
    assert len(set(ids.PREFIXES.values())) == len(ids.PREFIXES)


def test_times_need_a_zone() -> None:
    moment = datetime(2026, 11, 24, 9, 30, 0, 5000, tzinfo=UTC)
    assert clock.to_rfc3339(moment) == "2026-11-24T09:30:00.005Z"
    assert clock.from_rfc3339(clock.to_rfc3339(moment)) == moment
    with pytest.raises(ValueError, match="zone"):
        clock.from_rfc3339("2026-11-24T09:30:00")


def test_states() -> None:
    assert next_state(LAMP, "off", "switched_on") == "on"
    assert LAMP.states == ("off", "on", "broken")
    assert LAMP.final_states == ("broken",)
    with pytest.raises(InvalidTransition, match="broken cannot be switched_on"):
        next_state(LAMP, "broken", "switched_on")
    assert "on --> broken: broken" in mermaid(LAMP)


def test_commitments_need_salt() -> None:
    assert commitment(b"s" * 16, b"asha") != commitment(b"t" * 16, b"asha")
    with pytest.raises(ValueError, match="salt"):
        commitment(b"short", b"asha")


def test_checkpoint_round_trip_and_refusals() -> None:
    checkpoint = checkpoints.Checkpoint(ORIGIN, 42, b"r" * 32, b"s" * 32)
    note = checkpoints.sign_checkpoint(checkpoint, KEY)
    assert checkpoints.open_checkpoint(note, ORIGIN, KEY.verify_key) == checkpoint
    with pytest.raises(SignatureInvalid):
        checkpoints.open_checkpoint(note.replace("\n42\n", "\n43\n"), ORIGIN, KEY.verify_key)
    with pytest.raises(SignatureInvalid):
        checkpoints.open_checkpoint(note, ORIGIN, SigningKey.generate().verify_key)
    with pytest.raises(ProofInvalid):
        checkpoints.Checkpoint.from_text(checkpoint.to_text() + "extra\n")
