"""Action units of brows, lids, cheeks and nose.

Sizes in outer eye distances (about 9 cm on an adult, so that 0.01 is close to a millimetre), at full strength, which
stands for the E intensity of FACS. x is towards the person's left, y down, z away from the viewer; knots name the
right half.
"""

from __future__ import annotations

from rendering.engine import landmarks as lm
from rendering.engine.motion.action_units.field import Field, lift
from rendering.engine.motion.action_units.sides import both

_EYES_AND_SKULL = (*lm.EYES, *lm.STABLE)
_BETWEEN_LIDS = (
    lm.EYES + lm.RIGHT_LID_FOLD + lm.LEFT_LID_FOLD + lm.RIGHT_UNDER_LID + lm.LEFT_UNDER_LID
)  # fmt: skip
_LID_ROWS = (
    (lm.RIGHT_UPPER_LID, lm.RIGHT_LOWER_LID, lm.RIGHT_LID_FOLD, lm.RIGHT_UNDER_LID),
    (lm.LEFT_UPPER_LID, lm.LEFT_LOWER_LID, lm.LEFT_LID_FOLD, lm.LEFT_UNDER_LID),
)
BROW_REACH, CHEEK_REACH, NOSE_REACH = 0.07, 0.09, 0.06


def inner_brow_raiser(field: Field) -> None:
    """AU 1, frontalis, inner part: the inner thirds of the brows rise and the brows slant."""
    field.skin(both({
        107: (0.006, -0.105), 55: (0.006, -0.100), 66: (0.004, -0.060), 65: (0.004, -0.062), 105: (0.0, -0.012),
        52: (0.0, -0.014), 63: (0.0, 0.010), 53: (0.0, 0.010), 70: (0.0, 0.010), 46: (0.0, 0.008),
        9: (0.0, -0.070), 8: (0.0, -0.035), 108: (0.0, -0.070), 151: (0.0, -0.050), 69: (0.0, -0.030),
        221: (0.0, -0.050), 222: (0.0, -0.025), 193: (0.0, -0.020),
    }), BROW_REACH, still=_EYES_AND_SKULL, without=_BETWEEN_LIDS)  # fmt: skip


def outer_brow_raiser(field: Field) -> None:
    """AU 2, frontalis, outer part: the outer halves of the brows rise and arch."""
    field.skin(both({
        63: (0.0, -0.110), 70: (0.0, -0.095), 105: (0.0, -0.090), 53: (0.0, -0.100), 46: (0.0, -0.080),
        52: (0.0, -0.080), 66: (0.0, -0.045), 65: (0.0, -0.042), 107: (0.0, -0.010), 55: (0.0, -0.008),
        104: (0.0, -0.062), 68: (0.0, -0.055), 69: (0.0, -0.040), 71: (0.0, -0.030), 108: (0.0, -0.012),
        222: (0.0, -0.030), 223: (0.0, -0.042), 224: (0.0, -0.045), 225: (0.0, -0.035), 124: (0.0, -0.040),
        113: (0.0, -0.015), 156: (0.0, -0.030),
    }), BROW_REACH, still=_EYES_AND_SKULL, without=_BETWEEN_LIDS)  # fmt: skip


def brow_lowerer(field: Field) -> None:
    """AU 4, corrugator, depressor supercilii, procerus: brows come down and together."""
    field.skin(both({
        107: (0.042, 0.098), 55: (0.038, 0.088), 66: (0.032, 0.078), 65: (0.028, 0.068), 105: (0.014, 0.038),
        52: (0.012, 0.036), 63: (0.004, 0.008), 53: (0.004, 0.010), 70: (0.0, -0.006), 46: (0.0, -0.004),
        9: (0.0, 0.060), 8: (0.0, 0.045), 108: (0.018, 0.045), 151: (0.0, 0.035), 69: (0.012, 0.026),
        221: (0.016, 0.040), 222: (0.012, 0.034), 223: (0.006, 0.020), 193: (0.010, 0.020),
    }), BROW_REACH, still=_EYES_AND_SKULL, without=_BETWEEN_LIDS)  # fmt: skip
    for fold in (lm.RIGHT_LID_FOLD, lm.LEFT_LID_FOLD):
        field.add(fold[3:], (0.0, 0.016, 0.0), 0.6)


def upper_lid_raiser(field: Field) -> None:
    """AU 5, levator palpebrae: more white above the iris."""
    lids(field, upper=-0.28, lower=0.02)
    # The lid uncovers the iris's upper edge; it does not stretch what was seen below it.
    for top, iris in ((159, 470), (386, 475)):
        field.add((iris,), 0.8 * field.move[top])


def cheek_raiser(field: Field) -> None:
    """AU 6, orbicularis oculi, outer ring: cheeks rise, lower lids are pushed up, skin gathers beside the eyes."""
    # From the cheek's apple to the lid the skin is pressed together, row by row, and never passes over the next row.
    field.skin(both({
        50: (0.004, -0.120, -0.020), 101: (0.006, -0.105, -0.020), 36: (0.0, -0.102, -0.022),
        205: (-0.008, -0.105, -0.020),
        123: (0.010, -0.085), 187: (-0.006, -0.074), 147: (0.004, -0.055), 207: (-0.008, -0.052), 206: (-0.008, -0.048),
        203: (-0.004, -0.058), 216: (-0.006, -0.030), 142: (0.0, -0.056), 192: (0.0, -0.020), 214: (0.0, -0.015),
        118: (0.006, -0.068, -0.010), 119: (0.004, -0.064, -0.010), 117: (0.012, -0.062), 100: (0.002, -0.054),
        116: (0.014, -0.050), 120: (0.002, -0.046), 229: (0.004, -0.044), 230: (0.002, -0.042), 228: (0.006, -0.044),
        111: (0.012, -0.046), 31: (0.012, -0.034), 231: (0.0, -0.034), 121: (0.0, -0.020), 47: (0.0, -0.020),
        126: (0.0, -0.022), 129: (-0.002, -0.010), 143: (0.022, -0.008), 35: (0.022, -0.002), 124: (0.006, 0.016),
        46: (0.004, 0.020), 53: (0.002, 0.018), 70: (0.002, 0.016), 63: (0.0, 0.008),
    }), CHEEK_REACH, still=(*lm.LIPS, *lm.STABLE, 98, 327, 64, 294, 92, 322), without=_BETWEEN_LIDS)  # fmt: skip
    lids(field, upper=0.06, lower=-0.28, under=1.1)


def lid_tightener(field: Field) -> None:
    """AU 7, orbicularis oculi, inner ring: the lids close in on the iris, the lower one most."""
    lids(field, upper=0.16, lower=-0.28)


def nose_wrinkler(field: Field) -> None:
    """AU 9, levator labii superioris alaeque nasi: wings and upper lip rise, the brows' heads come down."""
    field.skin(both({
        98: (-0.004, -0.058), 64: (-0.006, -0.064), 48: (-0.006, -0.066), 102: (-0.002, -0.060), 49: (0.0, -0.056),
        129: (-0.006, -0.070), 203: (0.0, -0.064), 126: (0.010, -0.050), 142: (0.002, -0.060), 47: (0.010, -0.038),
        100: (0.006, -0.046), 36: (0.0, -0.060), 101: (0.002, -0.045), 205: (0.0, -0.040), 50: (0.0, -0.030),
        121: (0.010, -0.030), 114: (0.012, -0.022), 120: (0.004, -0.030), 119: (0.0, -0.030), 206: (-0.002, -0.050),
        193: (0.012, 0.014), 221: (0.012, 0.018), 55: (0.020, 0.040), 107: (0.022, 0.042), 65: (0.012, 0.024),
        66: (0.012, 0.024), 9: (0.0, 0.035), 8: (0.0, 0.028), 164: (0.0, -0.034), 167: (0.0, -0.044),
        165: (-0.002, -0.052), 92: (-0.004, -0.044), 186: (0.0, -0.014), 1: (0.0, -0.010), 2: (0.0, -0.016),
    }), NOSE_REACH, still=(*lm.STABLE, 57, 287, 52, 282), without=(*_BETWEEN_LIDS, *lm.LIPS))  # fmt: skip
    lids(field, upper=0.06, lower=-0.18)
    # The rim goes, the inner edge stays: a wrinkled nose alone does not part the lips.
    for row, share in ((lm.UPPER_OUTER_LIP, 1.0), (lm.UPPER_MIDDLE_LIP, 0.7), (lm.UPPER_LOWER_LIP, 0.3)):
        lift(field, row, -0.026 * share, -0.036 * share)


def lip_raiser(field: Field) -> None:
    """AU 10, levator labii superioris: the upper lip is drawn up, squarely, and the folds beside the nose deepen."""
    field.skin(both({
        164: (0.0, -0.046), 167: (0.0, -0.056), 165: (-0.004, -0.062), 92: (-0.006, -0.054), 186: (-0.002, -0.018),
        203: (-0.004, -0.050), 206: (-0.006, -0.046), 98: (-0.004, -0.024), 64: (-0.006, -0.018), 129: (-0.006, -0.026),
        142: (0.0, -0.026), 36: (-0.002, -0.030), 205: (-0.004, -0.032), 216: (0.0, -0.018), 2: (0.0, -0.010),
    }), NOSE_REACH, still=(*lm.STABLE, 57, 287, 50, 280), without=(*_BETWEEN_LIDS, *lm.LIPS))  # fmt: skip
    for row, share in (
        (lm.UPPER_OUTER_LIP, 1.0), (lm.UPPER_MIDDLE_LIP, 0.95), (lm.UPPER_LOWER_LIP, 0.9), (lm.UPPER_INNER_LIP, 0.85),
    ):  # fmt: skip
        lift(field, row, -0.052 * share, -0.066 * share)


def lids(
    field: Field, *, upper: float, lower: float, under: float = 0.6, sides: tuple[bool, bool] = (True, True)
) -> None:
    """Add a movement of the lids by shares of the eye's own opening: positive is down.

    `under`: how far the row of skin below follows the lower lid.
    """
    for (top, bottom, fold, below), wanted in zip(_LID_ROWS, sides, strict=True):
        if not wanted:
            continue
        opening = field.points[list(bottom)] - field.points[list(top)]
        field.add(top, upper * opening)
        field.add(bottom, lower * opening)
        field.add(fold, 0.35 * upper * opening, 0.6)
        field.add(below, under * lower * opening, 0.6)
