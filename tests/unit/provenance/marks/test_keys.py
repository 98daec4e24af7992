"""Keys, and the signs that come from them."""

import numpy as np
import pytest

from provenance.marks import keys
from provenance.marks.errors import MarkKeyUnreadable
from provenance.marks.grid import CHROMA, LUMA, grid_for
from provenance.marks.keys import MarkKey, PresenceKey, key_from_file
from provenance.marks.pattern import layout, make_pattern, sync_signs

KEY = MarkKey(bytes(range(32)), "2026-11")


def test_file_round_trip() -> None:
    assert key_from_file(KEY.to_file()) == KEY


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"kind":"trustcore-mark-key","v":2}', b"\xff\xfe"])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(MarkKeyUnreadable):
        key_from_file(content)


def test_presence_key_has_files_of_its_own() -> None:
    presence = KEY.presence_only()
    assert key_from_file(presence.to_file()) == presence
    assert key_from_file(KEY.to_file()) == KEY
    with pytest.raises(MarkKeyUnreadable):
        key_from_file(b'{"kind":"another","v":1,"epoch":"","key":"00"}')
    assert presence.key.hex() not in repr(presence) and not hasattr(presence, "slot_key")
    with pytest.raises(ValueError, match="32 bytes"):
        PresenceKey(b"short")


def test_presence_key_makes_the_same_sync_signs() -> None:
    grid = grid_for(512, 512)
    for band in (LUMA, CHROMA):
        assert np.array_equal(sync_signs(KEY, band.name, grid), sync_signs(KEY.presence_only(), band.name, grid))


def test_key_does_not_print_itself() -> None:
    assert KEY.epoch_key.hex() not in repr(KEY)
    assert repr(KEY.epoch_key) not in repr(KEY)


def test_signs_are_balanced_and_differ_by_label() -> None:
    one, other = (keys.signs(KEY.presence_key(), label, 20_000) for label in ("a", "b"))
    assert set(np.unique(one)) == {-1.0, 1.0}
    assert abs(one.mean()) < 0.03
    assert abs(float(np.mean(one * other))) < 0.03


def test_slot_keys_repeat_after_64_and_only_then() -> None:
    assert KEY.slot_key(3) == KEY.slot_key(67)
    assert len({KEY.slot_key(slot) for slot in range(64)} | {KEY.presence_key()}) == 65


def test_band_sizes() -> None:
    assert (LUMA.dimensions, CHROMA.dimensions) == (2192, 540)


def test_every_coded_bit_has_its_share() -> None:
    for band, least in ((LUMA, 7), (CHROMA, 1)):
        deal = layout(KEY, band.name)
        assert len(deal.sync) + len(deal.message) == band.dimensions
        assert not set(deal.sync) & set(deal.message)
        assert np.bincount(deal.bit_of_message, minlength=240).min() >= least


def test_tiles_do_not_share_signs() -> None:
    signs = sync_signs(KEY, "luma", grid_for(256, 256))
    alike = signs @ signs.T / signs.shape[1]
    np.fill_diagonal(alike, 0.0)
    assert np.abs(alike).max() < 0.3


def test_pattern_does_not_repeat_and_has_no_seams() -> None:
    luma = make_pattern(KEY, 7, 0, 512, 512).luma
    period = float(np.mean(luma[:, 128:] * luma[:, :-128]))
    assert abs(period) < 0.03
    steps = np.abs(np.diff(luma, axis=1)).mean(axis=0)  # step between neighbouring columns
    borders = steps[[127, 255, 383]]
    assert borders.max() < 1.15 * steps.mean()
