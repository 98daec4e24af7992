"""What the mark says: a 64-bit slot id, its CRC-16, and the code that carries both through a video encoder.

64 + 16 = 80 bits pass through a rate-1/3 convolutional code of constraint length 9 (generators 557, 663, 711 octal).
The code is tail-biting: the encoder starts in the state that the last eight bits leave behind, so no bits are spent on
flushing and every bit is protected alike. A payload means "look this up", never "authentic".
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

PAYLOAD_BITS: Final = 64
CRC_BITS: Final = 16
MESSAGE_BITS: Final = PAYLOAD_BITS + CRC_BITS
RATE: Final = 3
CODED_BITS: Final = MESSAGE_BITS * RATE
CONSTRAINT_LENGTH: Final = 9
STATES: Final = 1 << (CONSTRAINT_LENGTH - 1)
GENERATORS: Final = (0o557, 0o663, 0o711)
WRAPS: Final = 3  # the decoder has forgotten its unknown start state long before the third turn round the ring

CRC_POLYNOMIAL: Final = 0x1021
CRC_INITIAL: Final = 0xFFFF


def crc16(bits: NDArray[np.uint8]) -> int:
    """CRC-16 with polynomial 0x1021 and initial value 0xFFFF over bits [N], first bit first."""
    register = CRC_INITIAL
    for bit in bits:
        feedback = ((register >> 15) & 1) ^ int(bit)
        register = (register << 1) & 0xFFFF
        if feedback:
            register ^= CRC_POLYNOMIAL
    return register


def bits_of(value: int, count: int) -> NDArray[np.uint8]:
    """The `count` low bits of `value`, most significant first, as uint8 [count]."""
    return np.array([(value >> (count - 1 - i)) & 1 for i in range(count)], dtype=np.uint8)


def value_of(bits: NDArray[np.uint8]) -> int:
    """The integer that bits [N] spell, most significant first."""
    value = 0
    for bit in bits:
        value = (value << 1) | int(bit)
    return value


def _output_table() -> NDArray[np.float32]:
    """Code word of +-1 that leaves the encoder, by register content: float32 [512, 3]."""
    table = np.empty((STATES * 2, RATE), dtype=np.float32)
    for register in range(STATES * 2):
        for branch, generator in enumerate(GENERATORS):
            table[register, branch] = 1.0 if (register & generator).bit_count() % 2 else -1.0
    return table


_OUTPUTS: Final = _output_table()


def encode(slot_id: int) -> NDArray[np.float32]:
    """Code a slot id.

    Args:
        slot_id: 0 <= slot_id < 2**64.

    Returns:
        Coded bits as +-1, float32 [240].

    Raises:
        ValueError: the id does not fit in 64 bits.
    """
    if not 0 <= slot_id < 1 << PAYLOAD_BITS:
        raise ValueError("A slot id has 64 bits.")
    payload = bits_of(slot_id, PAYLOAD_BITS)
    message = np.concatenate([payload, bits_of(crc16(payload), CRC_BITS)])
    return encode_message(message)


def encode_message(message: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Tail-biting code word of message bits [80] as +-1, float32 [240]."""
    state = value_of(message[-(CONSTRAINT_LENGTH - 1) :])
    coded = np.empty((len(message), RATE), dtype=np.float32)
    for step, bit in enumerate(message):
        register = (state << 1) | int(bit)
        coded[step] = _OUTPUTS[register]
        state = register & (STATES - 1)
    return coded.reshape(-1)


def decode(soft: NDArray[np.float32]) -> int | None:
    """Read a slot id from soft bits.

    Args:
        soft: float32 [240], positive where the coded bit is likelier +1; any common scale.

    Returns:
        The slot id if its CRC holds, else None. One try in 65,536 on noise passes the CRC, so a caller must never
        accept on this answer alone.

    Raises:
        ValueError: wrong length.
    """
    if soft.shape != (CODED_BITS,):
        raise ValueError(f"Expected {CODED_BITS} soft bits.")
    message = best_message(soft)
    payload = message[:PAYLOAD_BITS]
    return value_of(payload) if crc16(payload) == value_of(message[PAYLOAD_BITS:]) else None


def best_message(soft: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The likeliest message, uint8 [80], for soft bits [240] (Viterbi over three turns of the ring)."""
    ring = np.ascontiguousarray(soft.reshape(MESSAGE_BITS, RATE), dtype=np.float32)
    decided: NDArray[np.uint8] = _viterbi(ring, _OUTPUTS, WRAPS)
    steps = WRAPS * MESSAGE_BITS
    # The end of the trellis is as uncertain as its start: drop half a turn, read the turn before it.
    end = steps - MESSAGE_BITS // 2
    window = decided[end - MESSAGE_BITS : end]
    return np.roll(window, (end - MESSAGE_BITS) % MESSAGE_BITS)


@njit(cache=True, nogil=True)
def _viterbi(ring, outputs, wraps):  # type: ignore[no-untyped-def]
    """Bits on the best path: ring float32 [80, 3], outputs float32 [512, 3] -> uint8 [wraps * 80]."""
    length = ring.shape[0]
    states = outputs.shape[0] // 2
    steps = wraps * length
    metric = np.zeros(states, dtype=np.float32)
    following = np.empty(states, dtype=np.float32)
    came_from_upper = np.empty((steps, states), dtype=np.uint8)
    for step in range(steps):
        a = ring[step % length, 0]
        b = ring[step % length, 1]
        c = ring[step % length, 2]
        for state in range(states):
            # The register is (old state, new bit); its low eight bits are the new state, so two old states lead here.
            lower = state
            upper = state | states
            from_lower = metric[lower >> 1] + a * outputs[lower, 0] + b * outputs[lower, 1] + c * outputs[lower, 2]
            from_upper = metric[upper >> 1] + a * outputs[upper, 0] + b * outputs[upper, 1] + c * outputs[upper, 2]
            if from_upper > from_lower:
                following[state] = from_upper
                came_from_upper[step, state] = 1
            else:
                following[state] = from_lower
                came_from_upper[step, state] = 0
        best = following[0]
        for state in range(states):
            best = max(best, following[state])
        for state in range(states):
            metric[state] = following[state] - best
    bits = np.empty(steps, dtype=np.uint8)
    state = int(np.argmax(metric))
    for step in range(steps - 1, -1, -1):
        bits[step] = state & 1
        state = (state | (states if came_from_upper[step, state] else 0)) >> 1
    return bits
