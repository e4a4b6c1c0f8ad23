"""Every setting, read from the environment. A wrong one ends the program with a sentence that says what is expected.

Without DATABASE_URL the help desk runs embedded: it keeps its own PostgreSQL, its data and its secrets in one state
folder. With it, it runs in production and must be given its secrets.
This file imports no Django, so that `make run` can read it at once.
"""

import base64
import contextlib
import ipaddress
import os
import secrets
import sys
import zoneinfo
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from helpdesk import environment
from helpdesk.embedded.places import Places
from helpdesk.environment import DOCUMENTED, refuse

__all__ = ["DOCUMENTED"]  # what is not a setting and yet for others: the README's table

BASE_DIR = Path(__file__).resolve().parent.parent

# -- Where things are ------------------------------------------------------------------------------------------------

HELPDESK_STATE_DIR = Path(
    environment.text(
        "HELPDESK_STATE_DIR",
        ".state",
        "Folder of the embedded servers' data, uploads and generated keys. Relative to the checkout.",
    )
).expanduser()
HELPDESK_STATE_DIR = Path(os.path.normpath(BASE_DIR / HELPDESK_STATE_DIR))
PLACES = Places(HELPDESK_STATE_DIR)

_database = environment.url(
    "DATABASE_URL",
    "",
    "PostgreSQL 15 or newer. Not set: the embedded server.",
    schemes=["postgres", "postgresql"],
    example="postgresql://user:password@host:5432/database",
    shown=False,
)
_redis = environment.url(
    "REDIS_URL",
    "",
    "Redis 7 or Valkey; this database number holds the cache, the next one the queue. Not set: the embedded server.",
    schemes=["redis", "rediss", "unix"],
    example="redis://host:6379/0",
    shown=False,
)
environment.text(
    "HELPDESK_POSTGRES_BIN",
    "",
    "Folder of the programs of a PostgreSQL 18 for the embedded server. Not set: those of the installed package.",
)
HELPDESK_EMBEDDED_DATABASE = _database is None
HELPDESK_EMBEDDED_REDIS = _redis is None
HELPDESK_PRODUCTION = not HELPDESK_EMBEDDED_DATABASE


def _kept_in_state(name: str, make: Any) -> str:
    """The text of a file in the state folder, which only its owner can read; made the first time."""
    kept = HELPDESK_STATE_DIR / name
    try:
        if not kept.exists():
            PLACES.make_state()
            draft = HELPDESK_STATE_DIR / f".{name}.{os.getpid()}"
            draft.touch(mode=0o600)
            draft.write_text(make())
            with contextlib.suppress(FileExistsError):
                os.link(draft, kept)  # of two first starts at once, one wins and both read the same
            draft.unlink()
        return kept.read_text().strip()
    except OSError as problem:
        raise refuse(
            "HELPDESK_STATE_DIR",
            f"is {str(HELPDESK_STATE_DIR)!r}, but it must be a folder that can be written: {problem.strerror}.",
        ) from None


# -- What the desk is called and where it is reached ------------------------------------------------------------------

HELPDESK_DEBUG = environment.flag(
    "HELPDESK_DEBUG", False, "Shows error pages with their code. Never on a machine that others reach."
)
DEBUG = HELPDESK_DEBUG
if DEBUG and HELPDESK_PRODUCTION:
    raise refuse("HELPDESK_DEBUG", "is on, but DATABASE_URL is set too: it may only be on with the embedded database.")

HELPDESK_NAME = environment.text("HELPDESK_NAME", "Help desk", "Name of the organisation, shown on pages and in mails.")

HELPDESK_BEHIND_PROXY = environment.flag(
    "HELPDESK_BEHIND_PROXY",
    False,
    "On when a proxy of yours sets X-Forwarded-Proto and appends to X-Forwarded-For; off: those headers are ignored.",
)


def _address_of_running_desk() -> str:
    try:
        return (HELPDESK_STATE_DIR / "address").read_text().strip()
    except OSError:
        return "http://127.0.0.1:8000"


_public = environment.url(
    "HELPDESK_PUBLIC_URL",
    "",
    "Address that people open, used in mails. Required with DATABASE_URL; embedded: the address of `make run`.",
    schemes=["http", "https"],
    example="https://help.example.com",
)
if _public is None and HELPDESK_PRODUCTION:
    raise refuse(
        "HELPDESK_PUBLIC_URL", "is missing: with DATABASE_URL it must be an address like https://help.example.com."
    )
HELPDESK_PUBLIC_URL = (_public.geturl() if _public else _address_of_running_desk()).rstrip("/")
if _public is not None and (not _public.hostname or _public.path.strip("/") or _public.query or _public.username):
    raise refuse(
        "HELPDESK_PUBLIC_URL",
        f"is {HELPDESK_PUBLIC_URL!r}, but it must be a scheme and a host with nothing after it.",
    )
_https = HELPDESK_PUBLIC_URL.startswith("https:")

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
if _public is not None and _public.hostname:
    ALLOWED_HOSTS.append(_public.hostname)
ALLOWED_HOSTS += environment.items(
    "HELPDESK_ALLOWED_HOSTS",
    "",
    "Further host names the desk answers to, parted by commas.",
    accept=environment.is_host,
    expected="host names like help.example.com, .example.com for all below it, addresses like 192.0.2.7 or [2001:db8::7], "
    "or *, parted by commas",
)
CSRF_TRUSTED_ORIGINS = [HELPDESK_PUBLIC_URL]

# -- Secrets ----------------------------------------------------------------------------------------------------------

SECRET_KEY = environment.secret(
    "HELPDESK_SECRET_KEY",
    "Signs sessions and links. Required with DATABASE_URL; at least 50 characters.",
    default_shown="embedded: generated into the state folder",
    least_length=50,
)
if not SECRET_KEY:
    if HELPDESK_PRODUCTION:
        raise refuse(
            "HELPDESK_SECRET_KEY", "is missing: with DATABASE_URL it must be a random text of at least 50 characters."
        )
    SECRET_KEY = _kept_in_state("secret-key", lambda: secrets.token_urlsafe(50))

HELPDESK_ENCRYPTION_KEYS = environment.items(
    "HELPDESK_ENCRYPTION_KEYS",
    "",
    "Keys for passwords at rest, parted by commas: the first encrypts, all decrypt. Required with DATABASE_URL; "
    "embedded: generated into the state folder. Make one with `make key`.",
    shown=False,
)


def _is_encryption_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except ValueError:
        return False


if not HELPDESK_ENCRYPTION_KEYS:
    if HELPDESK_PRODUCTION:
        raise refuse("HELPDESK_ENCRYPTION_KEYS", "is missing: with DATABASE_URL it must hold a key made by `make key`.")
    HELPDESK_ENCRYPTION_KEYS = _kept_in_state(
        "encryption-keys", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    ).split(",")
if not all(_is_encryption_key(key) for key in HELPDESK_ENCRYPTION_KEYS):
    raise refuse(
        "HELPDESK_ENCRYPTION_KEYS",
        "holds a key that is not 32 bytes in URL-safe base64: make keys with `make key` and part them by commas.",
    )

# -- Apps -------------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "helpdesk",
    "people",
    "tickets",
    "library",
    "inbox",
    "people.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "helpdesk.apps.OurStaticFiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "helpdesk.outages.OutagesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages shrink to a fifth. Tokens are masked anew in each page and the length is padded, so it tells nothing (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "helpdesk.caching.PrivateMiddleware",
    "people.middleware.PreferencesMiddleware",
    "people.middleware.SignedOutMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
            ],
        },
    },
]

# -- Database ---------------------------------------------------------------------------------------------------------

_pool = environment.integer(
    "HELPDESK_DATABASE_POOL",
    0,
    "Connections that a process keeps open in a pool; 0: none. The web process takes 12, as many as it has threads.",
    most=100,
)
HELPDESK_STATEMENT_SECONDS = environment.integer(
    "HELPDESK_STATEMENT_SECONDS", 30, "A statement of the web process that takes longer is given up; 0: never."
)


def _database_settings(parts: SplitResult) -> dict[str, Any]:
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {"connect_timeout": 3, "application_name": "helpdesk"}
    # A machine that is gone without a goodbye is noticed within half a minute. Sockets of this machine ignore these.
    options |= {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    options["tcp_user_timeout"] = 25_000
    host = query.pop("host", "") or unquote(parts.hostname or "")
    options.update(query)
    database: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        # A server that was restarted is noticed before a page fails on it.
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 0 if _pool else 60,
        "OPTIONS": options,
    }
    if not database["NAME"]:
        raise refuse(
            "DATABASE_URL", "names no database: it must be like postgresql://user:password@host:5432/database."
        )
    if _pool:
        # Short times, so that a page says within seconds that the database is away, and finds it soon after it is back.
        options["pool"] = {"min_size": 1, "max_size": _pool, "timeout": 2, "reconnect_timeout": 2}
        if HELPDESK_STATEMENT_SECONDS:
            options["options"] = (
                f"{options.get('options', '')} -c statement_timeout={HELPDESK_STATEMENT_SECONDS}s -c lock_timeout=10s"
            ).strip()
    return database


DATABASES = {"default": _database_settings(_database or urlsplit(PLACES.database_url))}

# -- Redis: cache, queue ----------------------------------------------------------------------------------------------


def _redis_settings(parts: SplitResult) -> tuple[str, str]:
    """The addresses of the cache and of the queue, which lies in the next database: clearing the cache empties its own."""
    query = dict(parse_qsl(parts.query))
    number_text = query.pop("db", "") or ("" if parts.scheme == "unix" else parts.path.strip("/")) or "0"
    if not number_text.isdecimal():
        raise refuse("REDIS_URL", "must end in the number of a database, like redis://host:6379/0.")
    number = int(number_text)
    if parts.scheme == "unix":
        login = f"{parts.netloc}@" if parts.netloc and "@" not in parts.netloc else parts.netloc
        return (
            f"unix://{login}{parts.path}?db={number}",
            f"redis+socket://{login}{parts.path}?virtual_host={number + 1}",
        )
    extra = f"?{parts.query}" if parts.query else ""
    return (
        f"{parts.scheme}://{parts.netloc}/{number}{extra}",
        f"{parts.scheme}://{parts.netloc}/{number + 1}{extra}",
    )


HELPDESK_REDIS_URL, CELERY_BROKER_URL = _redis_settings(_redis or urlsplit(PLACES.redis_url))

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": HELPDESK_REDIS_URL,
        "KEY_PREFIX": "helpdesk",
        "OPTIONS": {"socket_timeout": 3}
        | ({} if HELPDESK_REDIS_URL.startswith("unix:") else {"socket_connect_timeout": 3}),
    }
}

CELERY_TASK_DEFAULT_QUEUE = "default"
# Fetching waits for networks (many at a time), processing is work for the processor (as many as there are cores).
CELERY_TASK_ROUTES = {
    "inbox.tasks.poll_mailbox": {"queue": "mail.fetch"},
    "inbox.tasks.process_incoming": {"queue": "mail.process"},
}
HELPDESK_QUEUES = ["default", "mail.fetch", "mail.process"]
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# A task is taken off the queue when it is done, so one whose worker died is done by another. Every task can run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
    "socket_keepalive": True,
    # How kombu itself tries again while publishing; without it a page would wait for minutes on a dead broker.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
CELERY_TIMEZONE = "UTC"
# All our intervals begin with the start, so the scheduler has nothing to remember in a file.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SCHEDULE = {
    # The task decides which mailboxes are due; a task that waited until the next one is there is not done any more.
    "poll due mailboxes": {
        "task": "inbox.tasks.poll_due_mailboxes",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "sweep": {"task": "inbox.tasks.sweep", "schedule": timedelta(seconds=15), "options": {"expires": 15}},
    "heartbeat": {"task": "helpdesk.tasks.heartbeat", "schedule": timedelta(seconds=10), "options": {"expires": 10}},
}

# -- Files ------------------------------------------------------------------------------------------------------------

_files = environment.matching(
    "HELPDESK_FILES",
    "files",
    "Where raw mail and attachments lie: a folder (relative to the state folder) or s3://bucket/prefix, "
    "whose keys come from the usual AWS variables.",
    accept=lambda raw: "://" not in raw or (raw.startswith("s3://") and bool(urlsplit(raw).netloc)),
    expected="a folder or an address like s3://bucket/prefix",
)
if _files.startswith("s3://"):
    _files_storage: dict[str, Any] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": urlsplit(_files).netloc,
            "location": urlsplit(_files).path.strip("/"),
            "file_overwrite": False,
            "querystring_auth": True,
            "default_acl": None,
        },
    }
    HELPDESK_FILES_FOLDER = None
else:
    HELPDESK_FILES_FOLDER = HELPDESK_STATE_DIR / Path(_files).expanduser()
    _files_storage = {
        "BACKEND": "helpdesk.storage.DurableFolder",
        "OPTIONS": {
            "location": str(HELPDESK_FILES_FOLDER),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }

HELPDESK_MAX_MAIL_MB = environment.integer(
    "HELPDESK_MAX_MAIL_MB", 60, "A larger mail is taken in by its headers only, with a notice.", least=1, most=500
)
HELPDESK_MAX_UPLOAD_MB = environment.integer(
    "HELPDESK_MAX_UPLOAD_MB", 25, "Largest file that an agent can attach.", least=1, most=500
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles" if HELPDESK_PRODUCTION else HELPDESK_STATE_DIR / "static"
# Collected files have hashed names and are cached for ever. Before they are collected (tests, a first command), and
# while one works on them (debug), they are served as they lie.
_collected = (STATIC_ROOT / "staticfiles.json").exists() or "collectstatic" in sys.argv[1:2] or HELPDESK_PRODUCTION
if DEBUG:
    _collected = False
WHITENOISE_USE_FINDERS = not _collected
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES: dict[str, Any] = {
    "default": _files_storage,
    "staticfiles": {
        "BACKEND": "helpdesk.storage.HashedStaticFiles"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# -- Mail -------------------------------------------------------------------------------------------------------------

HELPDESK_POLL_SECONDS = environment.integer(
    "HELPDESK_POLL_SECONDS",
    60,
    "How often a mailbox is asked for new mail, unless it has its own.",
    least=5,
    most=86400,
)
HELPDESK_ALLOW_PLAINTEXT_MAIL = environment.flag(
    "HELPDESK_ALLOW_PLAINTEXT_MAIL",
    False,
    'On: security "none" may be chosen for a mail server on another machine; off: only for this one.',
)
MAIL_ROOM_PORT = environment.integer(
    "MAIL_ROOM_PORT", 2525, "Port on 127.0.0.1 at which the mail room takes mail.", least=1, most=65535
)


def _is_this_machine(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return (host or "").lower() == "localhost"


_looks_like_production = [
    name
    for name, speaks in {
        "DATABASE_URL": HELPDESK_PRODUCTION,
        "REDIS_URL": not HELPDESK_EMBEDDED_REDIS,
        "HELPDESK_BEHIND_PROXY": HELPDESK_BEHIND_PROXY,
        "HELPDESK_PUBLIC_URL": _https or (_public is not None and not _is_this_machine(_public.hostname)),
    }.items()
    if speaks
]
HELPDESK_MAIL_ROOM = environment.flag(
    "HELPDESK_MAIL_ROOM",
    not _looks_like_production,
    "A local SMTP server and the page “Customer's side”, to try the desk without a mailbox. Embedded only.",
)
environment.document("HELPDESK_MAIL_ROOM", default="on when embedded and for this machine only, else off")
if HELPDESK_MAIL_ROOM and _looks_like_production:
    raise refuse(
        "HELPDESK_MAIL_ROOM",
        f"is on, but it must be off beside the production setting {_looks_like_production[0]}.",
    )

_system_mail = environment.url(
    "HELPDESK_SYSTEM_MAIL_URL",
    "",
    "Server for the desk's own mails, like password resets. Not set: the mail room when it is on, else none are sent.",
    schemes=["smtp"],
    example="smtp://user:password@host:587?security=starttls&from=desk@example.com",
    shown=False,
)
EMAIL_TIMEOUT = 20
if _system_mail is not None:
    _mail_query = dict(parse_qsl(_system_mail.query))
    _security = _mail_query.get("security", "starttls")
    if _security not in ("none", "starttls", "ssl") or not _system_mail.hostname or not _mail_query.get("from"):
        raise refuse(
            "HELPDESK_SYSTEM_MAIL_URL",
            "must name a host, security=none, starttls or ssl, and from=, "
            "like smtp://user:password@host:587?security=starttls&from=desk@example.com.",
        )
    _loopback = _system_mail.hostname in ("localhost", "127.0.0.1", "::1")
    if _security == "none" and not _loopback and not HELPDESK_ALLOW_PLAINTEXT_MAIL:
        raise refuse(
            "HELPDESK_SYSTEM_MAIL_URL",
            "has security=none for another machine: choose starttls or ssl, or set HELPDESK_ALLOW_PLAINTEXT_MAIL.",
        )
    EMAIL_HOST = _system_mail.hostname
    EMAIL_PORT = _system_mail.port or {"none": 25, "starttls": 587, "ssl": 465}[_security]
    EMAIL_HOST_USER = unquote(_system_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_system_mail.password or "")
    EMAIL_USE_TLS = _security == "starttls"
    EMAIL_USE_SSL = _security == "ssl"
    DEFAULT_FROM_EMAIL = SERVER_EMAIL = _mail_query["from"]
else:
    EMAIL_HOST, EMAIL_PORT = "127.0.0.1", MAIL_ROOM_PORT
    DEFAULT_FROM_EMAIL = SERVER_EMAIL = "desk@localhost"
    if not HELPDESK_MAIL_ROOM:
        EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# -- People and sessions ----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT = 24 * 3600

SESSION_ENGINE = "helpdesk.sessions"
SESSION_COOKIE_AGE = 3600 * environment.integer(
    "HELPDESK_SESSION_HOURS", 336, "Hours after which one has to sign in again.", least=1, most=8760
)
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https

AXES_FAILURE_LIMIT = environment.integer(
    "HELPDESK_LOGIN_FAILURES", 8, "Wrong passwords for one person from one address until a pause.", least=1, most=1000
)
AXES_COOLOFF_TIME = timedelta(
    minutes=environment.integer("HELPDESK_LOGIN_PAUSE_MINUTES", 15, "How long that pause is.", least=1, most=10080)
)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "people.throttling.LoginThrottle"
AXES_USERNAME_CALLABLE = "people.throttling.username"
AXES_LOCKOUT_CALLABLE = "people.throttling.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "helpdesk.proxy.client_address"
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # it would grow for ever; failures are what counts

# -- What the browser is told -----------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],  # custom properties only
        "img-src": ["'self'", "blob:", "data:"],
        "font-src": ["'self'"],
        "frame-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
}
X_FRAME_OPTIONS = "SAMEORIGIN"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_SSL_REDIRECT = _https and HELPDESK_BEHIND_PROXY
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
if HELPDESK_BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whether the hosts beside ours may be reached without TLS is not ours to say (W005, W021). The body of a mail is shown
# in a frame of our own page (W019).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W019", "security.W021"]

# -- Language and time ------------------------------------------------------------------------------------------------

LANGUAGES = [("en", "English"), ("fi", "Suomi")]
LANGUAGE_CODE = environment.choice(
    "HELPDESK_LANGUAGE", "en", "Language where a person has chosen none.", among=["en", "fi"]
)
LOCALE_PATHS = [BASE_DIR / "helpdesk" / "locale"]
USE_I18N = True
USE_TZ = True


def _is_time_zone(name: str) -> bool:
    try:
        return bool(zoneinfo.ZoneInfo(name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False


TIME_ZONE = environment.matching(
    "HELPDESK_TIME_ZONE",
    "UTC",
    "Time zone where a person has chosen none.",
    accept=_is_time_zone,
    expected="the name of a time zone like Europe/Helsinki",
)

# -- Logs -------------------------------------------------------------------------------------------------------------

_log_level = environment.choice(
    "HELPDESK_LOG_LEVEL", "INFO", "What is logged, to standard error.", among=["DEBUG", "INFO", "WARNING", "ERROR"]
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    # The outage behind a 503 has its own line; a monitor that asks every ten seconds needs no more.
    "filters": {
        "no 503": {"()": "helpdesk.outages.NotUnavailable"},
        "one line": {"()": "helpdesk.brevity.OneLineForRefusals"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no 503", "one line"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"level": _log_level, "handlers": ["console"], "propagate": False}
        for name in ("helpdesk", "people", "tickets", "library", "inbox")
    }
    | {"django": {"level": "INFO", "handlers": ["console"], "propagate": False}},
}
