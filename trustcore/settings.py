"""Settings of the control plane. One file; values come from the environment (docs/settings.md); secrets have no
default."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trustcore import embedded_postgres
from trustcore.env import SettingInvalid, env_bool, env_choice, env_int, env_list, env_pairs, env_secret, env_str
from trustcore.initial_state import REPOSITORY, state_dir
from trustcore.policy.files import policy_sha256
from trustcore.primitives.hashing import sha256_hex
from trustcore.web import embed_origins

BASE_DIR = REPOSITORY

# --- where things are kept -------------------------------------------------------------------------------------------
STATE_DIR = state_dir()
SECRETS_DIR = Path(env_str("TRUSTCORE_SECRETS_DIR", str(STATE_DIR / "secrets")))
KEYSTORE_DIR = Path(env_str("TRUSTCORE_KEYSTORE_DIR", str(STATE_DIR / "keystore")))
BLOBS_DIR = Path(env_str("TRUSTCORE_BLOBS_DIR", str(STATE_DIR / "blobs")))
BROKER_DIR = Path(env_str("TRUSTCORE_BROKER_DIR", str(STATE_DIR / "broker")))
POSTGRES_DIR = Path(env_str("TRUSTCORE_POSTGRES_DIR", str(STATE_DIR / "postgres")))

# --- who we are ------------------------------------------------------------------------------------------------------
BASE_URL = env_str("TRUSTCORE_BASE_URL", "http://localhost:8000").rstrip("/")
_base = urlsplit(BASE_URL)
if _base.scheme not in {"http", "https"} or not _base.hostname:
    raise SettingInvalid(f"TRUSTCORE_BASE_URL must look like https://host[:port], not {BASE_URL!r}")
IS_HTTPS = _base.scheme == "https"
DEBUG = env_bool("TRUSTCORE_DEBUG", False)
# The demo profile adds one-time sign-in links for the cast; `manage.py check --deploy` refuses it.
DEMO = env_bool("TRUSTCORE_DEMO", False)
# Whether a demonstration authority may be made where there is no claim-signing key.
DEMO_AUTHORITY = env_bool("TRUSTCORE_DEMO_AUTHORITY", DEBUG or DEMO)
SECRET_KEY = env_secret("TRUSTCORE_SECRET_KEY", SECRETS_DIR)
ALLOWED_HOSTS = env_list("TRUSTCORE_ALLOWED_HOSTS", f"{_base.hostname},localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# The audit log's name in its checkpoints (C2SP "origin"): a schema-less URL that never changes.
LOG_ORIGIN = env_str("TRUSTCORE_LOG_ORIGIN", f"{_base.hostname}/trustcore/log")

# --- applications ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "csp",
    "trustcore.audit",
    "trustcore.accounts",
    "trustcore.keys",
    "trustcore.policy",
    "trustcore.jobs",
    "trustcore.web",
    "consent",
    "provenance",
    "rendering",
]
MIDDLEWARE = [
    "trustcore.web.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "trustcore.web.middleware.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "trustcore.web.middleware.ProblemMiddleware",
    "trustcore.web.middleware.ActorMiddleware",
    "trustcore.web.middleware.PermissionMiddleware",
]
ROOT_URLCONF = "trustcore.urls"
WSGI_APPLICATION = "trustcore.wsgi.application"
ASGI_APPLICATION = "trustcore.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "trustcore.web.context.request_context",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- database --------------------------------------------------------------------------------------------------------
TEST_SUFFIX = env_str("TRUSTCORE_TEST_SUFFIX", "main")


def _database() -> dict[str, object]:
    url = env_str("DATABASE_URL", "")
    if not url:
        return dict(embedded_postgres.connection_settings(POSTGRES_DIR, "trustcore"))
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise SettingInvalid("DATABASE_URL must look like postgresql://user:password@host:port/name")
    return {
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


# Connections kept open for the threads of one web process, each handed out for one request; 0 keeps none. A new
# connection costs the server a process, some ten times a small query. asgi.py asks for a pool; commands need none.
DATABASE_POOL = env_int("TRUSTCORE_DATABASE_POOL", 0)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **_database(),
        # One thread per ASGI request: a kept connection would belong to a thread that is gone.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": {"min_size": 2, "max_size": DATABASE_POOL, "timeout": 10}} if DATABASE_POOL else {},
        "TEST": {"NAME": f"test_trustcore_{TEST_SUFFIX}"},
    }
}

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "trustcore_accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 14}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "trustcore.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "trustcore.accounts.adapters.PasskeyAdapter"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
# WebAuthn needs a secure context; browsers count http://localhost as one, the library has to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
# Also when a passkey is shown again before something that matters: a found key without its owner must not do.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
SESSION_COOKIE_AGE = env_int("TRUSTCORE_SESSION_S", 12 * 3600, minimum=60)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "trustcore.web.errors.csrf_failure"

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "trustcore.web.api.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # Who may call what is declared on the view and enforced by PermissionMiddleware, for pages and API alike.
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "trustcore.web.api.exception_handler",
    "DEFAULT_PAGINATION_CLASS": "trustcore.web.pagination.PageLimit",
    "UNAUTHENTICATED_USER": None,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = env_int("TRUSTCORE_BODY_MAX_BYTES", 2_500_000, minimum=1000)
# Clips, footage and recordings are people's faces: a body up to this size stays in memory until it is encrypted.
# Larger ones wait in the memory file system, never on a disk in the clear: without one they are refused.
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = "/dev/shm"  # noqa: S108 the files in it have no name

# --- headers ---------------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 63_072_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # WebAssembly (the C2PA reader) needs its own word; scripts themselves come from files only.
        "script-src": ["'self'", "'wasm-unsafe-eval'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "blob:", "mediastream:"],
        "connect-src": ["'self'", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "font-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Pages of other sites that may show a conversation in a frame (docs/player.md). Everything else is never framed.
try:
    EMBED_ORIGINS = embed_origins.read(env_list("TRUSTCORE_EMBED_ORIGINS", ""))
except ValueError as _error:
    raise SettingInvalid(f"TRUSTCORE_EMBED_ORIGINS: {_error}") from _error

# --- files, languages, time ------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [
    *(path for path in (BASE_DIR / "trustcore" / "static",) if path.exists()),
    # The viewer's page reads the very weights that the worker reads.
    ("turns", BASE_DIR / "rendering" / "dialogue" / "turns" / "weights"),
]
# Files are served straight from their folders, so that no collect step stands between a checkout and a page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("hi", "हिन्दी"), ("bn", "বাংলা"), ("as", "অসমীয়া")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- mail: embedded default prints; production names a server ---------------------------------------------------------
EMAIL_BACKEND = env_str("TRUSTCORE_EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
DEFAULT_FROM_EMAIL = env_str("TRUSTCORE_EMAIL_FROM", f"trustcore@{_base.hostname}")

# --- jobs ------------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env_str("TRUSTCORE_BROKER_URL", "filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
    }
    if CELERY_BROKER_URL.startswith("filesystem:")
    else {}
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ALWAYS_EAGER = env_bool("TRUSTCORE_TASKS_EAGER", False)
CELERY_TIMEZONE = "UTC"
# Beat wakes those who look at the rows. A message that waited longer than its period is stale and dropped.
CELERY_BEAT_SCHEDULE = {
    "reap": {"task": "rendering.reap", "schedule": 2.0, "options": {"expires": 2}},
    "run-jobs": {"task": "rendering.run_jobs", "schedule": 5.0, "options": {"expires": 5}},
    "certificates": {"task": "provenance.keep_up_certificates", "schedule": 3600.0, "options": {"expires": 3600}},
    "forget-figures": {"task": "rendering.forget_figures", "schedule": 3600.0, "options": {"expires": 3600}},
    "consent-sweep": {"task": "consent.sweep", "schedule": 60.0, "options": {"expires": 60}},
    "sweep-checks": {"task": "provenance.sweep_checks", "schedule": 10.0, "options": {"expires": 10}},
}
# A check computes for a minute; it must not stand before the reaper, so it has a queue and a process of its own.
CELERY_TASK_ROUTES = {"provenance.run_checks": {"queue": "checks"}}

# --- audit, keys, policy ---------------------------------------------------------------------------------------------
AUDIT_POLICY_VERSION = policy_sha256()
# Personal detail of an event is encrypted under the subject's key by this module; audit itself knows no keys.
AUDIT_PERSONAL_DETAIL_CIPHER = "trustcore.keys.services.personal_detail"
AUDIT_LOG_KEY = "trustcore.keys.services.signing_keys.get"
KEY_PROVIDER = env_str("TRUSTCORE_KEY_PROVIDER", "file")
ROOT_KEK = env_secret("TRUSTCORE_ROOT_KEK", SECRETS_DIR)
# A file {"grant": [b64 key...], "worker": [...]} that the signer trusts instead of the registered workers.
SIGNER_PINS = env_str("TRUSTCORE_SIGNER_PINS", "")

# --- the public check -------------------------------------------------------------------------------------------------
# Seconds that the search for a crop, another size or a mirrored picture may take, for one clip; 0 leaves it out.
MARK_SEARCH_S = env_int("TRUSTCORE_MARK_SEARCH_S", 90)
# Questions that one network (/24, /48) may ask in an hour, and how many of them without the puzzle solved.
CHECKS_AN_HOUR = env_int("TRUSTCORE_CHECKS_AN_HOUR", 20, minimum=1)
CHECKS_AN_HOUR_UNPROVEN = env_int("TRUSTCORE_CHECKS_AN_HOUR_UNPROVEN", 4)
# Where clips wait, encrypted, between the web process and the process that checks them: both must see it. In memory by
# default, so that nothing of a clip ever reaches a disk.
CHECK_SPOOL_DIR = Path(
    env_str("TRUSTCORE_CHECK_SPOOL_DIR", f"/dev/shm/trustcore-{sha256_hex(str(STATE_DIR).encode())[:12]}")  # noqa: S108
)

# --- resolution of marks, and time stamps -----------------------------------------------------------------------------
# Queries a minute that one network may send to one web process.
RESOLUTION_PER_MINUTE = env_int("TRUSTCORE_RESOLUTION_PER_MINUTE", 120, minimum=1)
# RFC 3161 time stamps for recordings and pictures: where to ask, whether to refuse without, and whom to believe.
TSA_URL = env_str("TRUSTCORE_TSA_URL", "")
TSA_IS_REQUIRED = env_bool("TRUSTCORE_TSA_REQUIRED", False)
TSA_CA = env_str("TRUSTCORE_TSA_CA", "")

# --- live media ------------------------------------------------------------------------------------------------------
# STUN and TURN servers for viewers, as JSON ([{"urls": ...}]). None are needed where viewer and worker see each other.
ICE_SERVERS = json.loads(env_str("TRUSTCORE_ICE_SERVERS", "[]"))
# TURN servers whose credentials control makes for each conversation from a secret that it shares with them.
TURN_URLS = env_list("TRUSTCORE_TURN_URLS", "")
TURN_SECRET = env_secret("TRUSTCORE_TURN_SECRET", SECRETS_DIR) if TURN_URLS else ""
# Languages whose speech the workers' ears understand; in the others a viewer's page says that typing is the way.
HEARD_LANGUAGES = frozenset(env_list("TRUSTCORE_HEARD_LANGUAGES", "en"))
# What viewers' pages measure of their line: "on" (told, and each viewer may end it), "ask" (nothing before a viewer
# agrees) or "off"; how many days it is kept; and where each worker stands.
VIEWER_FIGURES = env_choice("TRUSTCORE_VIEWER_FIGURES", ("on", "ask", "off"))
FIGURES_DAYS = env_int("TRUSTCORE_FIGURES_DAYS", 90, minimum=1)
REGIONS = env_pairs("TRUSTCORE_REGIONS")
# What a persona may name in layers.llm.base_url; the worker holds it to the same two settings.
CHAT_ADDRESSES = [*env_list("TRUSTCORE_CHAT_ADDRESSES", ""), *env_list("TRUSTCORE_CHAT_URL", "")]

# --- seams: what one package lends another without being imported by it (dotted paths) --------------------------------
TRUSTCORE_OWN_OUTPUT_DETECTOR = "provenance.services.own_output.Detector"
TRUSTCORE_USE_LEDGER = "rendering.seams.UseLedger"
TRUSTCORE_EVIDENCE_SOURCES = ["rendering.seams.EvidenceSource", "consent.lent.EvidenceSource"]
TRUSTCORE_INBOX_SOURCES = ["rendering.seams.InboxSource"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env_str("TRUSTCORE_LOG_LEVEL", "WARNING")},
}
