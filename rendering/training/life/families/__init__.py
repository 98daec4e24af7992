"""Ten ways a head can move, each by another mechanism. `submovements` and `reorient` are never trained on."""
