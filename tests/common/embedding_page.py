"""A page of somebody else's, on an origin of its own, that shows a conversation with `<trustcore-player>`."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Brahmaputra Mutual</title>
<style>
  body {{ margin: 0; font: 16px/1.5 Georgia, serif; background: #f6efe2; color: #333 }}
  header {{ background: #123c2e; color: #fff; padding: 14px 24px; font-size: 20px }}
  main {{ max-width: 760px; margin: 0 auto; padding: 16px }}
  trustcore-player {{ {style} }}
  /* What a page would write to restyle the frame. */
  iframe, .viewer-chip, h1 {{ display: none !important; opacity: 0 !important }}
</style>
<header>Brahmaputra Mutual</header>
<main><p>Ask about your claim.</p>
<trustcore-player src="{src}" label="Talk about your claim">Open <a href="{src}">the conversation</a>.</trustcore-player></main>
<script type="module" src="{service}/static/js/player/trustcore-player.js"></script>
<script>
  window.heard = [];
  for (const name of ["ready", "verdict", "ended", "error"])
    document.addEventListener(`trustcore-${{name}}`, ({{ type, detail }}) => window.heard.push({{ type, detail }}));
  window.messages = [];
  window.addEventListener("message", ({{ origin, data }}) => window.messages.push({{ origin, data }}));
</script></html>"""


@contextmanager
def serving_page(src: str, service: str, style: str = "height: 560px") -> Iterator[str]:
    """Serve the page on a free port of 127.0.0.1; gives its address. The service is another site: localhost."""
    body = PAGE.format(src=src, service=service, style=style).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
