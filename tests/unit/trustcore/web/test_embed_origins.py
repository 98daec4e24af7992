"""The list of pages that may show a conversation in a frame."""

import pytest

from trustcore.web import embed_origins


@pytest.mark.parametrize(("text", "origin"), [
    ("https://shop.example", "https://shop.example"), ("https://Shop.Example/", "https://shop.example"),
    ("https://shop.example:443", "https://shop.example"), ("https://shop.example:8443", "https://shop.example:8443"),
    ("http://localhost:3000", "http://localhost:3000"), ("http://127.0.0.1:80", "http://127.0.0.1"),
    ("http://[::1]:5000", "http://[::1]:5000"), ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
])
def test_an_origin_has_one_spelling(text: str, origin: str) -> None:
    assert embed_origins.origin_of(text) == origin


@pytest.mark.parametrize("text", [
    "", "*", "https:", "shop.example", "http://shop.example", "https://*.shop.example", "https://shop.example/path",
    "https://user@shop.example", "https://shop.example?x", "https://shop.example#x", "ftp://localhost", "null",
    "https://shop.example:99999", "https://shop.example 'unsafe'", "https://büch.example", "https://a;b",
])
def test_what_is_no_origin_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError):
        embed_origins.read([text])


def test_a_list_is_for_everyone_or_for_one_organisation() -> None:
    listed = embed_origins.read(["https://all.example", "acme=https://a.example", "acme = https://b.example"])
    assert embed_origins.allowed(listed, "acme") == ("https://a.example", "https://all.example", "https://b.example")
    assert embed_origins.allowed(listed, "other") == ("https://all.example",)
    assert embed_origins.allowed({}, "acme") == ()


@pytest.mark.parametrize(("referrer", "is_from"), [
    ("https://a.example/", True), ("https://a.example/page?x=1", True), ("", True), ("https://b.example/", False),
    ("https://a.example.evil.example/", False), ("https://a.example@evil.example/", False), ("about:blank", False),
])
def test_a_page_is_known_by_its_referrer(referrer: str, is_from: bool) -> None:
    assert embed_origins.is_from(referrer, ("https://a.example",)) is is_from
