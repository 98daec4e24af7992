"""The words of perception: action units of the face, and the emotions that EMFACS reads from them. PURE.

Numbers of action units: Ekman, Friesen & Hager, Facial Action Coding System (2002). Prototypes: EMFACS (Friesen &
Ekman, 1983), the same table that moves a replica's face (`rendering.engine.motion.expression`), read backwards.
"""

ACTION_UNITS = (1, 2, 4, 5, 6, 7, 9, 12, 15, 20, 23, 25, 26)
# From points of the face alone these two can hardly be told: the cheek (6) has no edge, and tightened lips (23) look
# like thin ones. They are read with half the confidence and decide nothing by themselves.
WEAK_UNITS = (6, 23)

EMOTIONS = ("joy", "sadness", "anger", "surprise", "fear", "disgust")
PROTOTYPES: dict[str, tuple[int, ...]] = {
    "joy": (6, 12),
    "sadness": (1, 4, 15),
    "anger": (4, 5, 7, 23),
    "surprise": (1, 2, 5, 26),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "disgust": (9, 15),
}
FULL_MILLI = 1000
