"""The watermark: a keyed, non-repeating spread-spectrum mark that carries a 64-bit slot id in every frame."""
