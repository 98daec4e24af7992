"""What a stranger does on the public check page, and the puzzle a browser solves for them."""

import re
from itertools import count
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from provenance.oracle.puzzles import is_solution


def ask(client: Client, content: bytes, *, is_proven: bool = True, address: str = "192.0.2.7", **more: str) -> Any:
    """Send a clip as the page's form does; the page that comes of it."""
    sent = {**(solved(client, address) if is_proven else {}), **more}
    answer = client.post(
        "/check/", {"clip": SimpleUploadedFile("clip.mp4", content, "video/mp4"), **sent}, REMOTE_ADDR=address)
    return client.get(answer["Location"], REMOTE_ADDR=address) if answer.status_code == 302 else answer


def solved(client: Client, address: str) -> dict[str, str]:
    """A fresh puzzle of the form, with its solution."""
    page = client.get("/check/", REMOTE_ADDR=address).content.decode()
    found = re.search(r'name="puzzle" value="([^"]+)"', page)
    assert found is not None
    return {"puzzle": found[1], "solution": solution(found[1])}


def solution(puzzle: str) -> str:
    """What a browser works out."""
    bits = int(puzzle.split(".")[2])
    return str(next(n for n in count() if is_solution(puzzle, str(n), bits)))


def verdict_of(page: Any) -> str:
    """The machine's word for the answer on a page."""
    found = re.search(r'data-verdict="(\w+)"', page.content.decode())
    assert found is not None, page.content.decode()[-3000:]
    return found[1]
