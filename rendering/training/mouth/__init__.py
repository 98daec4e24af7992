"""How the base models of the mouth are made from synthetic speech, and how a person's style is fitted (docs/motion.md)."""
