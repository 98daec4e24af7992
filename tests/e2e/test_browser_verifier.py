"""aiortc -> headless Chromium on localhost: every received frame is verified, and what does not verify is hidden."""

import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from provenance.manifests import certs, recording
from provenance.manifests.attest import Attested
from provenance.manifests.carriage import Form
from provenance.manifests.frame_codecs import H264_FRAMES, OPUS_PACKETS, VP8_FRAMES, FrameCodec
from tests.common.attested_viewer import (
    ARGS,
    CHROMIUM,
    PAGE,
    Sender,
    as_it_is,
    lossy_line,
    silent_line,
    viewer_page,
    watch,
)
from tests.common.live_session import LiveSession, recording_of, status_list, with_flipped_bit, without_attestation
from tests.common.static_server import STATIC, serve

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not installed"),
    pytest.mark.skipif(not (STATIC / "vendor" / "c2pa").exists(), reason="browser packages: run make setup"),
]


@pytest.mark.parametrize("codec", [H264_FRAMES, VP8_FRAMES], ids=["h264", "vp8"])
async def test_every_received_frame_verifies(codec: FrameCodec) -> None:
    """The form of the attestations changes on the way, as it does when the line gets narrow and wide again."""
    sender = Sender(as_it_is, count=120, codec=codec, form=lambda i: Form.COMPACT if i // 20 % 2 else Form.FULL)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    counts = seen["verdict"]["counts"]
    assert seen["outcome"]["ok"], seen["outcome"]
    assert seen["outcome"]["session"]["label"] == sender.session.init.label
    assert seen["outcome"]["session"]["claimSha256"] == sender.session.init.claim_sha256
    assert counts["received"] >= 100
    assert counts["verified"] == counts["received"]
    assert counts["invalid"] == counts["unattested"] == counts["replayed"] == counts["late"] == counts["withheld"] == 0
    assert seen["shown"] > 60
    assert seen["verdict"]["state"] == "verified"


@pytest.mark.parametrize("codec", [H264_FRAMES, VP8_FRAMES], ids=["h264", "vp8"])
async def test_changed_and_stripped_frames_are_hidden_and_counted(codec: FrameCodec) -> None:
    def spoil(sequence: int, attested: Attested) -> bytes:
        if sequence in {40, 41}:
            return with_flipped_bit(attested, codec)
        return without_attestation(attested, codec) if sequence == 60 else attested.access_unit

    sender = Sender(spoil, count=120, codec=codec)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    counts = seen["verdict"]["counts"]
    assert counts["invalid"] == 2
    assert counts["unattested"] == 1
    assert counts["withheld"] == 3
    assert counts["verified"] == counts["received"] - 3
    assert counts["gap"] == 3


async def test_sound_is_verified_apart_and_what_fails_is_not_played() -> None:
    def spoil(sequence: int, attested: Attested) -> bytes:
        if sequence in {40, 41}:
            return with_flipped_bit(attested, OPUS_PACKETS)
        return without_attestation(attested, OPUS_PACKETS) if sequence == 60 else attested.access_unit

    sender = Sender(as_it_is, count=75, sound=spoil)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    picture, sound = seen["verdict"], seen["verdict"]["sound"]
    assert picture["counts"]["verified"] == picture["counts"]["received"] > 60
    assert sound["counts"]["received"] >= 90
    assert (sound["counts"]["invalid"], sound["counts"]["unattested"], sound["counts"]["withheld"]) == (2, 1, 3)
    assert sound["counts"]["verified"] == sound["counts"]["received"] - 3
    assert seen["heard"]["totalAudioEnergy"] > 0


async def test_a_page_without_a_verifier_plays_attested_sound() -> None:
    """Why the attestation stands in the packet's padding: whoever does not know it hears the sound as it is.

    That not one sample differs, a test of the worker shows with a decoder; here Chromium plays it at its loudness (a
    third to twice of its own 0.5, for a busy machine cuts and conceals).
    """
    sender = Sender(as_it_is, count=75, sound=as_it_is)
    async with viewer_page(sender) as page:
        heard = (await watch(page, sender, is_plain=True))["heard"]
    assert 0.15 < heard["totalAudioEnergy"] / heard["totalSamplesDuration"] < 1.0


@pytest.mark.parametrize(("changes", "reason"), [
    ({"viewer_nonce": "someone else's"}, "another viewer"),
    ({"dtls_fingerprint": "sha-256 " + ":".join(["00"] * 32)}, "not the signed sender's"),
])
async def test_a_session_for_somebody_else_shows_nothing(changes: dict[str, str], reason: str) -> None:
    sender = Sender(as_it_is, count=40, **changes)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender)
    assert not seen["outcome"]["ok"]
    assert reason in seen["outcome"]["reason"]
    counts = seen["verdict"]["counts"]
    assert counts["verified"] == 0
    assert counts["withheld"] == counts["received"] > 0
    assert seen["shown"] == 0


async def test_another_authority_shows_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", certs.InsecureProviderWarning)
        other = certs.make_ca(datetime.now(UTC)).certificate_pem
    sender = Sender(as_it_is, count=40)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender, anchor=other)
    assert "not trusted (Valid: signingCredential.untrusted)" in seen["outcome"]["reason"]
    assert seen["shown"] == 0


async def test_with_hide_off_frames_are_shown_but_never_called_verified() -> None:
    sender = Sender(lambda _, attested: without_attestation(attested), count=60)
    async with viewer_page(sender) as page:
        seen = await watch(page, sender, hide=False)
    counts = seen["verdict"]["counts"]
    assert seen["shown"] > 20
    assert seen["verdict"]["state"] == "unattested"
    assert (counts["verified"], counts["withheld"]) == (0, 0)
    assert counts["unattested"] == counts["received"]


@pytest.mark.parametrize("loss", [0.02, 0.05])
async def test_loss_makes_gaps_but_never_an_invalid_frame(loss: float) -> None:
    sender = Sender(as_it_is, count=150)
    with lossy_line(loss):
        async with viewer_page(sender) as page:
            seen = await watch(page, sender)
    counts = seen["verdict"]["counts"]
    print(loss, counts)
    assert counts["received"] >= 90
    assert counts["invalid"] == counts["unattested"] == 0
    assert counts["verified"] + counts["late"] + counts["replayed"] == counts["received"]


async def test_an_outage_of_seconds_costs_frames_and_verification_goes_on() -> None:
    """Pictures may all be sent again afterwards; sound is not, so its gap tells that the line was silent."""
    sender = Sender(as_it_is, count=180, sound=as_it_is)
    with silent_line(lambda: 45 <= sender.index < 120):
        async with viewer_page(sender) as page:
            seen = await watch(page, sender)
    counts, sound = seen["verdict"]["counts"], seen["verdict"]["sound"]["counts"]
    assert counts["verified"] == counts["received"] >= 80
    assert sound["verified"] == sound["received"] > 80
    assert sound["gap"] > 60
    assert (seen["verdict"]["state"], seen["verdict"]["share"]) == ("verified", 1)


LIST = "/status.crl"
CRL = "application/pkix-crl"


async def test_a_revoked_signer_shows_nothing() -> None:
    sender = Sender(as_it_is, count=60)
    async with viewer_page(sender, {LIST: (CRL, status_list(is_revoked=True))}) as page:
        seen = await watch(page, sender, status_list_url=LIST)
    assert seen["verdict"]["signer"]["state"] == "revoked"
    assert seen["verdict"]["state"] == "invalid" and "was revoked" in seen["verdict"]["reason"]
    assert seen["verdict"]["counts"]["verified"] < 10 and seen["shown"] < 10


async def test_a_signer_that_is_revoked_in_a_call_ends_its_trust() -> None:
    lists = {LIST: (CRL, status_list(is_revoked=False))}

    def spoil(sequence: int, attested: Attested) -> bytes:
        if sequence == 60:
            lists[LIST] = (CRL, status_list(is_revoked=True))
        return attested.access_unit

    sender = Sender(spoil, count=150)
    async with viewer_page(sender, lists) as page:
        seen = await watch(page, sender, status_list_url=LIST)
    counts = seen["verdict"]["counts"]
    assert seen["outcome"]["ok"] and seen["verdict"]["signer"]["state"] == "revoked"
    assert 50 <= counts["verified"] < 120 and counts["invalid"] == counts["received"] - counts["verified"] > 20
    assert counts["withheld"] == counts["invalid"]


@pytest.mark.parametrize(("lists", "why"), [
    ({}, "cannot be fetched"), ({LIST: (CRL, b"")}, "DER"), ({LIST: (CRL, b"<html>")}, "DER"),
])
async def test_a_list_that_cannot_be_had_is_said_and_the_session_goes_on(
    lists: dict[str, tuple[str, bytes]], why: str,
) -> None:
    sender = Sender(as_it_is, count=60)
    async with viewer_page(sender, lists) as page:
        seen = await watch(page, sender, status_list_url=LIST)
    signer = seen["verdict"]["signer"]
    assert signer["state"] == "unknown" and why in signer["reason"]
    assert seen["verdict"]["state"] == "verified"


async def test_a_list_without_the_signer_is_asked_again_and_again() -> None:
    sender = Sender(as_it_is, count=60)
    async with viewer_page(sender, {LIST: (CRL, status_list(is_revoked=False))}) as page:
        seen = await watch(page, sender, status_list_url=LIST)
        first = seen["verdict"]["signer"]
        await page.wait_for_function(
            "(before) => window.verdict.signer.askedAtMs > before", arg=first["askedAtMs"], timeout=10_000)
    assert (first["state"], seen["verdict"]["state"]) == ("good", "verified")


CHAIN = b"""
import { ChainOfTrust } from "/static/js/verify/chain.js";
window.judge = async (path, anchor) => {
  const file = new Uint8Array(await (await fetch(path)).arrayBuffer());
  const chain = new ChainOfTrust("/static/vendor/c2pa/");
  try {
    return (await chain.demandTrusted(file, anchor)).label;
  } catch (error) {
    return error.message;
  } finally {
    chain.close();
  }
};
window.ready = true;
"""


async def test_the_signed_recording_is_trusted_in_the_browser_and_a_changed_one_is_not() -> None:
    session = LiveSession()
    made = recording.sign_recording(
        session.signer, recording.playable_mp4(recording_of(session)), session.facts, session.init,
        fragment_file_sha256="00" * 32, mark_slots=session.facts.mark_slots, frames=30,
    )
    changed = bytearray(made.encoded)
    changed[made.encoded.index(b"mdat") + 500] ^= 1
    pages = {
        "/": ("text/html", PAGE), "/viewer.js": ("text/javascript", CHAIN), "/good.mp4": ("video/mp4", made.encoded),
        "/changed.mp4": ("video/mp4", bytes(changed)),
    }
    with serve(pages) as base:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            page = await browser.new_page()
            await page.goto(base + "/")
            await page.wait_for_function("window.ready")
            anchor = session.signer.anchor_pem
            good, bad, foreign = [
                await page.evaluate("([path, anchor]) => window.judge(path, anchor)", [path, trust])
                for path, trust in (("/good.mp4", anchor), ("/changed.mp4", anchor), ("/good.mp4", ""))
            ]
            await browser.close()
    assert good == made.label
    assert "Invalid" in bad
    assert "bmffHash.mismatch" in bad
    assert "not trusted" in foreign
