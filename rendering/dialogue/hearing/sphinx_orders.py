"""What the worker tells the recogniser's process. PURE.

Order: kind, utterance number, length of the body; then the body. "E": expect these sentences, a JSON list. "B": begin
an utterance, with such a list. "A": int16 samples at HEARING_RATE_HZ. "F": finish. "C": cancel.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

HEADER = struct.Struct("<cII")
MAX_BODY_BYTES = 1_000_000


def order_bytes(kind: bytes, utterance: int, body: bytes = b"") -> bytes:
    """One order for the pipe."""
    return HEADER.pack(kind, utterance, len(body)) + body


def orders(pipe: BinaryIO) -> Iterator[tuple[bytes, int, bytes]]:
    """Kind, utterance and body of each order, until the pipe closes or says what no order is."""
    while len(head := pipe.read(HEADER.size)) == HEADER.size:
        kind, utterance, length = HEADER.unpack(head)
        if length > MAX_BODY_BYTES or len(body := pipe.read(length)) < length:
            return
        yield kind, utterance, body
