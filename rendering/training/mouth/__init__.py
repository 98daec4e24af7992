"""The base models of the mouth, made from synthetic speech, and a person's style (docs/motion.md)."""
