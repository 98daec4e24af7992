"""Settings of the tests: the product's own, with a state directory of their own and tasks run in place."""

import os
import tempfile
from pathlib import Path

# Each process that shares the tests out (pytest-xdist names it) keeps a state of its own.
_suffix = os.environ.get("TRUSTCORE_TEST_SUFFIX", "main") + os.environ.get("PYTEST_XDIST_WORKER", "")
# The server is shared with the checkout's own state; keys, blobs and secrets are not.
os.environ.setdefault("TRUSTCORE_POSTGRES_DIR", str(Path(__file__).resolve().parent.parent / "var" / "postgres"))
os.environ["TRUSTCORE_STATE_DIR"] = str(Path(tempfile.gettempdir()) / f"trustcore-tests-{_suffix}")
os.environ.setdefault("TRUSTCORE_TASKS_EAGER", "true")
os.environ.setdefault("TRUSTCORE_MARK_SEARCH_S", "0")  # half a minute a clip; the tests of the search ask for it
os.environ.setdefault("TRUSTCORE_DEMO_AUTHORITY", "true")
os.environ.setdefault("TRUSTCORE_BASE_URL", "http://testserver")

from trustcore.initial_state import state_dir, write_missing  # noqa: E402  (reads the variables set above)

write_missing(state_dir())

from trustcore.settings import *  # noqa: E402, F403
