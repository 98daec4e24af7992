"""A conversation that may only go through a TURN server: neither side learns the other's address, all frames verify."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rendering.services.turn import credential
from tests.common.coturn import SECRET, Turn, serving_turn
from tests.common.live_rig import Rig, rigged, wait_until
from tests.common.through_relay import EARS

pytestmark = pytest.mark.timeout(240)
PAIR = """
async () => {
  const found = await __line.peers.at(-1).getStats(), pairs = [...found.values()];
  const transport = pairs.find((one) => one.type === "transport");
  const pair = found.get(transport.selectedCandidatePairId);
  const local = found.get(pair.localCandidateId), remote = found.get(pair.remoteCandidateId);
  return [local.candidateType, remote.candidateType, local.relayProtocol];
}
"""


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with serving_turn(tmp_path_factory.mktemp("turn")) as turn:
        yield turn


@pytest.fixture(scope="module")
def rig(turn: Turn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rigged(tmp_path_factory.mktemp("worker"), SSL_CERT_FILE=str(turn.ca_file)) as rig:
        yield rig


def servers(url: str, secret: str = SECRET) -> list[dict[str, Any]]:
    user, password = credential(secret, "c1", until=datetime.now(UTC) + timedelta(minutes=5))
    return [{"urls": [url], "username": user, "credential": password}]


# A browser takes a relay's certificate from the authorities it knows and from no other, so over TLS it is the worker
# that goes there in this test; the browser takes the way beside it.
@pytest.mark.parametrize(("viewers", "workers", "protocol"), [
    ("url", "url", "udp"), ("tcp_url", "tcp_url", "tcp"), ("tcp_url", "tls_url", "tcp")])
def test_everything_goes_through_the_turn_server(
    rig: Rig, turn: Turn, viewers: str, workers: str, protocol: str) -> None:
    rig.control.facts |= {"ice_servers": servers(getattr(turn, workers)), "is_relayed": True}
    session, viewer = rig.session(
        page={"ice_servers_json": json.dumps(servers(getattr(turn, viewers))), "is_relayed": True},
        prepare=lambda context: context.add_init_script(EARS))
    viewer.connect()
    seen = viewer.wait_for("m.framesPresented > 20 && m.counts.verified > 20", 40)
    local, remote, spoken = viewer.page.evaluate(PAIR)
    rig.control.revoke(session)
    viewer.wait_for("m.state === 'ended'", 5)
    wait_until(lambda: session.finished, 10)
    viewer.close()
    assert (local, remote, spoken) == ("relay", "relay", protocol)
    if workers == "tls_url":
        assert "method=TLSv1" in turn.told()
    assert seen["counts"]["received"] == seen["counts"]["verified"]
    (answer,) = session.answers.values()
    candidates = [line for line in answer["sdp"].splitlines() if line.startswith("a=candidate:")]
    assert candidates and all(" typ relay " in line + " " for line in candidates)
    offer = next(event["body"]["sdp"] for event in session.events if event["kind"] == "offer")
    assert all(" typ relay " in line + " " for line in offer.splitlines() if line.startswith("a=candidate:"))


def test_a_credential_of_another_secret_gets_no_relay(rig: Rig, turn: Turn, tmp_path: Path) -> None:
    listed = servers(turn.url, "another secret, which this server does not know")
    page = rig.browser.new_page()
    gathered = page.evaluate("""async (servers) => {
      const peer = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: "relay" });
      peer.createDataChannel("x");
      await peer.setLocalDescription(await peer.createOffer());
      const until = performance.now() + 3000;
      while (peer.iceGatheringState !== "complete" && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return peer.localDescription.sdp.includes("a=candidate:");
    }""", listed)
    page.close()
    assert gathered is False
