"""Containers made to hurt whoever opens them."""

import io
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest

from provenance import bundle_checks, bundles
from provenance.errors import BundleInvalid


def container(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, bundles.FIXED_TIME), content, method)
    return out.getvalue()


@pytest.mark.parametrize(
    "name",
    ["../keys.json", "/etc/passwd", "manifests/../keys.json", "manifests/a/b", "manifests/.hidden", "other/x"],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(BundleInvalid):
        bundles.read_files(container([(name, b"x")]))


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(BundleInvalid):
        bundles.read_files(container([("keys.json", b"honest"), ("keys.json", b"forged")]))


def test_packed_zeros_are_refused_before_they_are_unpacked() -> None:
    with pytest.raises(BundleInvalid):
        bundles.read_files(container([("keys.json", bytes(10_000_000))], zipfile.ZIP_DEFLATED))


def test_files_that_lie_over_each_other_are_refused() -> None:
    """Each stored file holds the whole of the next one: n files of a small container would be n times its size."""
    inner = b"x" * 100_000
    parts, spans = b"", []
    for number in range(20):
        name = f"recordings/{number}".encode()
        body = parts or inner
        size = len(body)
        header = struct.pack(
            "<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33, zlib.crc32(body), size, size, len(name), 0)
        parts = header + name + body
        spans.append((name, body))
    directory = b""
    for name, body in spans:
        size = len(body)
        at = len(parts) - size - 30 - len(name)
        directory += struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, zlib.crc32(body), size, size, len(name), 0, 0, 0, 0,
            0, at)
        directory += name
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(spans), len(spans), len(directory), len(parts), 0)
    with pytest.raises(BundleInvalid, match="over each other"):
        bundles.read_files(parts + directory + end)


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", b"PK\x03\x04" + bytes(1000), container([("bundle.json", b"[" * 100_000)])],
    ids=["cut", "empty", "deep"],
)
def test_rubbish_is_a_verdict_and_not_a_crash(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(content)
    report = bundle_checks.report_on(path.name, path.read_bytes(), "")
    assert report.outcome.name == "CHANGED"
