"""Seven ways a head can move, each by another mechanism. Six are trained on; `submovements` never is."""
