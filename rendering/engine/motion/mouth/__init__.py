"""How a mouth moves with speech: class shares of exact or recognised sounds, then a person's own motion (docs/motion.md)."""
