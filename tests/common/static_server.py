"""Serves the product's static files and a few pages on localhost, with a strict content security policy."""

import mimetypes
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "trustcore" / "static"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; style-src 'self'; img-src 'self' data:"
)


@contextmanager
def serve(pages: Mapping[str, tuple[str, bytes]]) -> Iterator[str]:
    """Base address of a server that knows /static/... and the given pages (path -> (content type, body))."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            file = (STATIC / path.removeprefix("/static/")).resolve()
            if path in pages:
                kind, body = pages[path]
            elif path.startswith("/static/") and file.is_relative_to(STATIC) and file.is_file():
                kind, body = mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
