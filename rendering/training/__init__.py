"""Fits a replica to footage: `fit.train`. Footage checks: `capture_checks.check`. Command line: `__main__`."""

import os

# Threads of a parallel kernel sleep while they wait. Spinning ones, the default, take the second core from a live slot
# or from whoever else needs it. The setting is read when the threading library is loaded, so it is made here.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
