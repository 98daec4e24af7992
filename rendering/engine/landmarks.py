"""Indices into the 478-point face mesh that the tracker gives, grouped by what they mean.

Left and right are the person's own. Picture coordinates: x right, y down, z away from the viewer.
"""

from __future__ import annotations

COUNT = 478
IRIS_FIRST = 468

# Points that keep their place on the skull whatever the face does: eye corners, nose bridge, upper face oval.
STABLE = (
    33, 133, 362, 263,
    168, 6, 197, 195, 5, 4, 122, 351, 196, 419,
    10, 338, 297, 332, 284, 251, 389, 356, 454, 109, 67, 103, 54, 21, 162, 127, 234,
)  # fmt: skip

RIGHT_OUTER_EYE, RIGHT_INNER_EYE, LEFT_INNER_EYE, LEFT_OUTER_EYE = 33, 133, 362, 263
RIGHT_UPPER_LID = (246, 161, 160, 159, 158, 157, 173)  # from the outer corner inwards
RIGHT_LOWER_LID = (7, 163, 144, 145, 153, 154, 155)
LEFT_UPPER_LID = (466, 388, 387, 386, 385, 384, 398)
LEFT_LOWER_LID = (249, 390, 373, 374, 380, 381, 382)
# Rows of points above the upper and below the lower lid, which follow a blink by a part.
RIGHT_LID_FOLD = (247, 30, 29, 27, 28, 56, 190)
LEFT_LID_FOLD = (467, 260, 259, 257, 258, 286, 414)
RIGHT_UNDER_LID = (25, 110, 24, 23, 22, 26, 112)
LEFT_UNDER_LID = (255, 339, 254, 253, 252, 256, 341)
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)

RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)  # outer to inner, upper row then lower row
LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)

# Lips, from the person's right corner to the left one, without the corners.
UPPER_OUTER_LIP = (185, 40, 39, 37, 0, 267, 269, 270, 409)
UPPER_MIDDLE_LIP = (184, 74, 73, 72, 11, 302, 303, 304, 408)
UPPER_LOWER_LIP = (183, 42, 41, 38, 12, 268, 271, 272, 407)
UPPER_INNER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
LOWER_UPPER_LIP = (96, 89, 179, 86, 15, 316, 403, 319, 325)
LOWER_MIDDLE_LIP = (77, 90, 180, 85, 16, 315, 404, 320, 307)
LOWER_OUTER_LIP = (146, 91, 181, 84, 17, 314, 405, 321, 375)
RIGHT_CORNER = (61, 76, 62, 78)
LEFT_CORNER = (291, 306, 292, 308)
UPPER_LIP = UPPER_OUTER_LIP + UPPER_MIDDLE_LIP + UPPER_LOWER_LIP + UPPER_INNER_LIP
LOWER_LIP = LOWER_INNER_LIP + LOWER_UPPER_LIP + LOWER_MIDDLE_LIP + LOWER_OUTER_LIP
LIPS = UPPER_LIP + LOWER_LIP + RIGHT_CORNER + LEFT_CORNER
MOUTH_BOX = (61, 291, 0, 17)  # right and left corner, top and bottom of the lips
# The edge of the opening, from the person's right inner corner to the left one.
UPPER_OPENING = (78, *UPPER_INNER_LIP, 308)
LOWER_OPENING = (78, *LOWER_INNER_LIP, 308)
CHIN = 152
JAW = (152, 148, 377, 176, 400, 175, 171, 396)  # points of the chin, which the lower teeth go with
NOSE_TIP = 1

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
EYES = (
    RIGHT_UPPER_LID + RIGHT_LOWER_LID + LEFT_UPPER_LID + LEFT_LOWER_LID + RIGHT_IRIS + LEFT_IRIS
    + (RIGHT_OUTER_EYE, RIGHT_INNER_EYE, LEFT_INNER_EYE, LEFT_OUTER_EYE)
)  # fmt: skip
