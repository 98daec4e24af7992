"""DEVELOPMENT ONLY: sign-in links for the demo's cast, so that a person without a passkey can come in and make one.

Works only while TRUSTCORE_DEMO is on, which `manage.py check --deploy` refuses. Whoever has the link is that person.
"""

import warnings

from django.conf import settings
from django.core import signing
from django.urls import reverse

from trustcore.accounts.models import User
from trustcore.primitives.errors import Refusal

SALT = "trustcore.demo-link"
MAX_AGE_S = 12 * 3600


class InsecureSignInWarning(UserWarning):
    """Links that sign people in without a passkey exist."""


class DemoLinkInvalid(Refusal):
    """The demo sign-in link is wrong, too old, or the demo is off."""

    code = "account.demo_link_invalid"


def link_for(user: User) -> str:
    """The whole address that signs this person in. Raises DemoLinkInvalid outside the demo."""
    _require_demo()
    warnings.warn(
        "Demo sign-in links work without a passkey. Never run with TRUSTCORE_DEMO in production.",
        InsecureSignInWarning,
        stacklevel=2,
    )
    token = signing.dumps(user.public_id, salt=SALT)
    # Our own addresses alone: the command that prints the links need not load every page of the product.
    path = reverse("demo_sign_in", args=[token], urlconf="trustcore.accounts.urls")
    return f"{settings.BASE_URL}{path}"


def user_of(token: str) -> User:
    """Whom the link signs in. Raises DemoLinkInvalid."""
    _require_demo()
    try:
        public_id = signing.loads(token, salt=SALT, max_age=MAX_AGE_S)
    except signing.BadSignature as error:
        raise DemoLinkInvalid("This demo link is wrong or too old. Start the demo again for new ones.") from error
    user: User | None = User.objects.filter(public_id=public_id, is_active=True).first()
    if user is None:
        raise DemoLinkInvalid("This demo link is for somebody who is not here any more.")
    return user


def _require_demo() -> None:
    if not settings.DEMO:
        raise DemoLinkInvalid("Demo sign-in links are switched off here. Sign in with a passkey.")
