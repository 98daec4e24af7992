"""How a mouth moves with speech: exact or recognised sounds, then a person's own motion (docs/motion.md)."""
