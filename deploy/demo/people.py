"""The people of the demo as clients of the running service: what each would do in a browser, over HTTP.

Nothing here reaches behind the service: pages are fetched, forms posted, passkeys answered, as anybody could.
"""

import html
import json
import re
from typing import Any
from urllib.parse import urljoin

import httpx

from deploy.demo.authenticator import SoftwarePasskey


class StoryError(RuntimeError):
    """The service answered otherwise than the story needs. The message holds what it said."""


class Person:
    """One person with their own browser: cookies, CSRF and, once registered, a passkey."""

    def __init__(self, name: str, base_url: str) -> None:
        self.name = name
        self.base_url = base_url
        # The service counts requests per browser; a named agent shows whose they are in its log.
        self.http = httpx.Client(base_url=base_url, timeout=120, headers={"User-Agent": f"demo/{name}"})
        self.passkey: SoftwarePasskey | None = None

    def get(self, path: str, *, expect: int = 200) -> httpx.Response:
        return self._checked(self.http.get(path, follow_redirects=True), expect)

    def post(self, path: str, data: dict[str, Any] | None = None, *, files: dict[str, Any] | None = None,
             expect: int = 200, accept: str = "text/html") -> httpx.Response:  # fmt: skip
        """Post a form the way a page does: with the CSRF token of its cookie."""
        headers = {"X-CSRFToken": self._csrf_token(), "Referer": urljoin(self.base_url, path), "Accept": accept}
        return self._checked(
            self.http.post(path, data=data or {}, files=files, headers=headers, follow_redirects=True), expect
        )

    def post_json(self, path: str, body: Any = None, *, expect: int = 200) -> Any:
        headers = {
            "X-CSRFToken": self._csrf_token(),
            "Referer": urljoin(self.base_url, path),
            "Accept": "application/json",
        }
        answer = self._checked(self.http.post(path, json=body if body is not None else {}, headers=headers), expect)
        return answer.json() if answer.content else None

    def _csrf_token(self) -> str:
        if "csrftoken" not in self.http.cookies:
            self.http.get("/accounts/login/", follow_redirects=True)
        return self.http.cookies.get("csrftoken", "")

    def _checked(self, answer: httpx.Response, expect: int) -> httpx.Response:
        if answer.status_code != expect:
            said = re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.text, flags=re.S))[:600]
            raise StoryError(f"{self.name}: {answer.request.method} {answer.request.url.path} answered "
                             f"{answer.status_code}, not {expect}: {html.unescape(said)}")  # fmt: skip
        return answer

    # --- signing in --------------------------------------------------------------------------------------------------

    def sign_in(self, link: str) -> None:
        """Open the one-time link that the demo prints."""
        self.get(link)

    def register_passkey(self, name: str) -> None:
        self.passkey = SoftwarePasskey(origin=self.base_url)
        options = self.get("/accounts/passkeys/add/").json()
        self.post_json(
            "/accounts/passkeys/add/", {"name": name, "credential": self.passkey.create(options)}, expect=201
        )

    def sign(self, approval_path: str) -> dict[str, Any]:
        """Read an approval's statement and sign it with the passkey."""
        if self.passkey is None:
            raise StoryError(f"{self.name} has no passkey")
        page = self.get(approval_path).text
        shown = attribute(page, "data-statement")
        asked = self.post_json(attribute(page, "data-challenge"))
        return dict(self.post_json(attribute(page, "data-sign"), {
            "nonce": asked["nonce"], "statement_sha256": shown, "assertion": self.passkey.get(asked["publicKey"]),
        }))  # fmt: skip


def attribute(page: str, name: str) -> str:
    """The value of the first attribute `name` in a page. Raises StoryError when there is none."""
    found = re.search(rf'\b{re.escape(name)}="([^"]*)"', page)
    if found is None:
        raise StoryError(f"the page has no {name}")
    return html.unescape(found[1])


def json_script(page: str, element_id: str) -> Any:
    """The JSON in <script type="application/json" id=...> of a page."""
    found = re.search(rf'<script[^>]*id="{re.escape(element_id)}"[^>]*>(.*?)</script>', page, flags=re.S)
    if found is None:
        raise StoryError(f"the page has no JSON called {element_id}")
    return json.loads(found[1])


def links(page: str, pattern: str) -> list[str]:
    """Addresses in a page that match, in order of first mention."""
    return list(
        dict.fromkeys(
            html.unescape(m) for m in re.findall(r'(?:href|action|src)="([^"]+)"', page) if re.search(pattern, m)
        )
    )
