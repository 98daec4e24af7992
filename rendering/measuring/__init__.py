"""How well viewers are served, as their own pages measure it: what a page may report, what was promised, what is shown
and signed of it. PURE; the rows are in `rendering/models/measured.py` (docs/measuring.md).
"""
