"""Points of the person's right half and their partners on the left. Action units are drawn on the right half once."""

from __future__ import annotations

from collections.abc import Mapping

from rendering.engine import landmarks as lm
from rendering.engine.motion.action_units.field import Move

_SKIN = (
    (50, 280), (101, 330), (118, 347), (117, 346), (119, 348), (36, 266), (205, 425), (187, 411), (123, 352),
    (147, 376), (207, 427), (216, 436), (206, 426), (203, 423), (142, 371), (126, 355), (100, 329), (120, 349),
    (121, 350), (47, 277), (116, 345), (111, 340), (31, 261), (228, 448), (229, 449), (230, 450), (231, 451),
    (192, 416), (214, 434), (212, 432), (57, 287), (186, 410), (92, 322), (165, 391), (167, 393), (108, 337),
    (69, 299), (104, 333), (68, 298), (71, 301), (67, 297), (109, 338), (193, 417), (221, 441), (222, 442),
    (223, 443), (224, 444), (225, 445), (113, 342), (124, 353), (156, 383), (35, 265), (143, 372), (98, 327),
    (64, 294), (48, 278), (129, 358), (102, 331), (49, 279), (114, 343), (83, 313), (182, 406), (106, 335), (43, 273),
    (202, 422), (204, 424), (194, 418), (201, 421), (208, 428), (32, 262), (140, 369), (171, 396), (211, 431),
    (210, 430), (148, 377),
)  # fmt: skip
PARTNER = {
    **dict(_SKIN),
    **dict(zip(lm.RIGHT_BROW, lm.LEFT_BROW, strict=True)),
    **dict(zip(lm.RIGHT_LID_FOLD, lm.LEFT_LID_FOLD, strict=True)),
}


def left_of(knots: Mapping[int, Move]) -> dict[int, Move]:
    """The same movement on the person's left half. Points on the middle line are their own partners."""
    return {PARTNER.get(point, point): (-move[0], *move[1:]) for point, move in knots.items()}


def both(knots: Mapping[int, Move]) -> dict[int, Move]:
    """Right half and left half together."""
    return {**left_of(knots), **knots}
