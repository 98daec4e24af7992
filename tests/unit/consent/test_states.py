"""The tables of consent, walked in every order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.states import APPROVAL, CONSENT, IDENTITY_CHECK, MACHINES
from trustcore.primitives.errors import InvalidTransition
from trustcore.primitives.states import next_state

CONSENT_ACTIONS = sorted({action for _, action in CONSENT.transitions})


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_state_can_be_reached(machine):
    reached = {machine.initial}
    for _ in machine.states:
        reached |= {target for (source, _), target in machine.transitions.items() if source in reached}
    assert reached == set(machine.states)


@given(st.lists(st.sampled_from(CONSENT_ACTIONS), max_size=12))
def test_consent_in_force_has_an_accepted_identity_behind_it_and_withdrawal_has_no_way_back(actions):
    state, past = CONSENT.initial, []
    for action in actions:
        try:
            state = next_state(CONSENT, state, action)
        except InvalidTransition:
            continue
        past.append(action)
        if state == "in_force":
            assert "accept_identity" in past
            assert "withdraw" not in past


def test_key_destroyed_is_final():
    assert "key_destroyed" in CONSENT.final_states


def test_one_signature_never_approves():
    assert next_state(APPROVAL, APPROVAL.initial, "sign") == "half_signed"


def test_an_unchecked_clip_cannot_be_accepted():
    with pytest.raises(InvalidTransition):
        next_state(IDENTITY_CHECK, "received", "accept")
