"""A page of somebody else, on an origin of its own, that shows a conversation with `<trustcore-player>`.

It is the very lines that docs/player.md gives to copy.
"""

import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Frame

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "player.md"
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
{example}
</main>
<script>
  window.heard = [];
  for (const name of ["ready", "precall", "verdict", "ended", "error"])
    document.addEventListener(`trustcore-${{name}}`, ({{ type, detail }}) => window.heard.push({{ type, detail }}));
  window.messages = [];
  window.addEventListener("message", ({{ origin, data }}) => window.messages.push({{ origin, data }}));
</script></html>"""


def example(src: str, service: str) -> str:
    """The lines of docs/player.md, with a real conversation and a real service."""
    found = re.search(r"```html\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found, "the guide has no example"
    made = found.group(1).replace("https://trust.example/c/C0123/?t=TOKEN", src)
    return made.replace("https://trust.example", service)


@contextmanager
def serving_page(src: str, service: str, style: str = "height: 560px") -> Iterator[str]:
    """Serve the page on a free port of 127.0.0.1; gives its address. The service is another site: localhost."""
    body = PAGE.format(example=example(src, service), style=style).encode()

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


class EmbeddingPage:
    """That page in a browser: what its scripts hear, and the frame in it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._context = browser.new_context(viewport={"width": 900, "height": 760})
        self.page = self._context.new_page()
        self.console: list[str] = []
        self._heard: list[dict[str, Any]] = []
        self.opened: list[str] = []  # addresses that a frame of the page was sent to
        self.page.on("request", lambda one: self.opened.append(one.url) if one.url.endswith("/embed/") else None)
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.goto(url)

    def heard(self) -> list[dict[str, Any]]:
        """The component's events so far: {type, detail}."""
        if not self.page.is_closed():
            self._heard = self.page.evaluate("window.heard")
        return self._heard

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [event["detail"] for event in self.heard() if event["type"] == f"trustcore-{kind}"]

    def messages(self) -> list[tuple[str, Any]]:
        """Every message that any window posted to the page: (origin, data)."""
        if not self.page.is_closed():
            self._messages = [(one["origin"], one["data"]) for one in self.page.evaluate("window.messages")]
        return self._messages

    def may_look_inside(self) -> bool:
        """Whether the page's scripts reach into the frame."""
        look = "try { return Boolean(frames[0].document); } catch { return false; }"
        return bool(self.page.evaluate(f"(() => {{ {look} }})()"))

    def set_size(self, css: str) -> None:
        """Give the player this style."""
        self.page.evaluate(f"document.querySelector('trustcore-player').style = {json.dumps(css)}")

    def forge(self, told: dict[str, Any]) -> None:
        """Post to the page, from the page, what looks like the frame's word."""
        self.page.evaluate(f"window.postMessage({json.dumps({'source': 'trustcore-player', 'v': 1, **told})}, '*')")

    def frame_with(self, expression: str, timeout_s: float = 30.0) -> Frame:
        """The frame, once `expression` over `m`, its measures, is true."""
        asked = f"(() => {{ const m = window.__trustcore ?? {{}}; return Boolean({expression}); }})()"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for frame in self.page.frames[1:]:
                if "/embed/" in frame.url and frame.evaluate(asked):
                    return frame
            time.sleep(0.05)
        raise TimeoutError(f"no frame with {expression}: {self.heard()} {self.console}")

    def wait_for_console(self, text: str, timeout_s: float = 10.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not any(text in line for line in self.console):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the console never said {text}: {self.console}")
            self.page.wait_for_timeout(50)

    def close(self) -> None:
        self.heard(), self.messages()
        self._context.close()
