"""The one settings file. Everything is read from the environment, and a wrong value stops the start with a sentence.

Without variables it describes the embedded default on this machine (`manage.py run`). In production set at least
DATABASE_URL, CELERY_BROKER_URL, OUTPOST_URL and OUTPOST_SECRET_KEY; docs/operating.md lists them all.
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from config import logs
from config.runtime import places

BASE_DIR = Path(__file__).resolve().parent.parent


# -- reading the environment -------------------------------------------------------------------------------------------


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def switch(name: str, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def whole_number(name: str, default: int, least: int = 0) -> int:
    value = text(name, str(default))
    if not value.isdigit() or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}, not {value!r}.")
    return int(value)


def address(name: str, default: str, schemes: set[str]) -> str:
    value = text(name, default)
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.netloc or parts.path):
        raise ImproperlyConfigured(f"{name} must start with one of {', '.join(sorted(schemes))} and name a host.")
    return value


def networks(name: str, default: str = "") -> list[Any]:
    """Networks as in `10.0.0.0/8, 192.0.2.7`, with commas between them."""
    try:
        return [ip_network(each.strip()) for each in text(name, default).split(",") if each.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must list networks such as 10.0.0.0/8 with commas: {error}.") from error


def database(url: str) -> dict[str, Any]:
    """Django's database settings from a PostgreSQL address; further query parameters go to the driver."""
    if not url:
        return places.embedded_database()
    address("DATABASE_URL", url, {"postgres", "postgresql"})
    try:
        parts = conninfo_to_dict(url)
    except Exception as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
    if not parts.get("dbname"):
        raise ImproperlyConfigured("DATABASE_URL must name a database, as in postgresql://user@host:5432/outpost.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }


# -- who and where we are ----------------------------------------------------------------------------------------------

DEBUG = switch("OUTPOST_DEBUG", False)
OUTPOST_PORT = whole_number("OUTPOST_PORT", 8000, least=1)
OUTPOST_HOME = places.home()
OUTPOST_URL = address("OUTPOST_URL", f"http://127.0.0.1:{OUTPOST_PORT}", {"http", "https"}).rstrip("/")
OUTPOST_SHARED = text("OUTPOST_SHARED")  # the reference data that some tests and benchmarks compare with
BEHIND_HTTPS = OUTPOST_URL.startswith("https://")

DATABASE_URL = text("DATABASE_URL")
IS_EMBEDDED = not DATABASE_URL
SECRET_KEY = text("OUTPOST_SECRET_KEY") or (places.secret_key() if IS_EMBEDDED or places.is_testing() else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "OUTPOST_SECRET_KEY is missing. With a DATABASE_URL every web and worker process needs the same secret of at "
        "least 50 characters."
    )

ALLOWED_HOSTS = [urlsplit(OUTPOST_URL).hostname or "127.0.0.1"]
ALLOWED_HOSTS += [] if BEHIND_HTTPS else ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS += [host for host in text("OUTPOST_HOSTS").split(",") if host]
CSRF_TRUSTED_ORIGINS = [OUTPOST_URL]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "teams.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "allauth.account",
    "allauth.mfa",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django_celery_beat",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "import_export",
    "knox",
    "rest_framework",
    "simple_history",
    "teams",
    "approvals",
    "performance",
    "incentives",
    "config",
]

MIDDLEWARE = [
    "config.tracing.RequestIds",
    "config.telemetry.Timing",
    "teams.edges.addresses.OwnProxiesOnly",
    "teams.edges.headers.StrictPages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "teams.edges.viewing.ViewingAs",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "teams.edges.middleware.OwnReach",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "teams.entry.middleware.EntryRules",
    "teams.edges.middleware.LocalClock",
    "teams.edges.middleware.PrivatePages",
    "teams.edges.middleware.RefusalPages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# -- PostgreSQL, the one database everywhere -------------------------------------------------------------------------------

DATABASES = {"default": database(DATABASE_URL)}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = "template0"
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("application_name", "outpost")  # as pg_stat_activity shows us

# -- Celery: late acknowledgement everywhere, so every task may be given twice --------------------------------------------

BROKER_URL = address(
    "CELERY_BROKER_URL", places.embedded_broker_url(), {"redis", "rediss", "redis+socket", "amqp", "amqps", "memory"}
)
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 1500
CELERY_TASK_TIME_LIMIT = 1800
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 10
CELERY_TIMEZONE = "UTC"
if BROKER_URL.startswith("amqp"):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_TASK_DEFAULT_EXCHANGE_TYPE = "topic"
    CELERY_TASK_DEFAULT_EXCHANGE = "outpost"
    CELERY_TASK_DEFAULT_QUEUE = "outpost"
    CELERY_TASK_DEFAULT_ROUTING_KEY = "outpost"
    CELERY_WORKER_DETECT_QUORUM_QUEUES = True
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"confirm_publish": True}
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "unacked_restore_throttle": 1}

# -- who may come in -----------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["teams.grants.ReachBackend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # its backend knows no end dates and no reach; ReachBackend takes its place
LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = reverse_lazy("login")
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if places.is_testing():
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # thousands of made-up accounts
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "teams.entry.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = 30 * 60
SECOND_FACTOR = switch("OUTPOST_SECOND_FACTOR", (BEHIND_HTTPS or not IS_EMBEDDED) and not places.is_testing())
MFA_ADAPTER = "teams.entry.factor.SealedSecrets"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]  # no passkeys: browsers know none for an address such as 127.0.0.1
MFA_TOTP_ISSUER = "Outpost"
MFA_TOTP_TOLERANCE = 1  # clocks may differ by half a minute; no code is taken twice
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_HTTPS
SESSION_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_AGE = 365 * 86400
SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 31536000 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
TRUST_PROXY = switch("OUTPOST_TRUST_PROXY", False)
TRUSTED_PROXIES = networks("OUTPOST_TRUSTED_PROXIES", "127.0.0.1, ::1" if TRUST_PROXY else "")
if TRUST_PROXY or TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

# -- people's data -------------------------------------------------------------------------------------------------------

SENSITIVE_NETWORKS = networks("OUTPOST_SENSITIVE_NETWORKS")  # the operator's own list, where there is one, comes first
SEAL_KEY = text("OUTPOST_SEAL_KEY") or SECRET_KEY
SEAL_KEYS_BEFORE = [key.strip() for key in text("OUTPOST_SEAL_KEYS_BEFORE").split(",") if key.strip()]
SEAL_KEYS_BEFORE += [SECRET_KEY] if SEAL_KEY != SECRET_KEY else []
TOMBSTONES = OUTPOST_HOME / "test" if places.is_testing() else OUTPOST_HOME
TOMBSTONES = Path(text("OUTPOST_TOMBSTONES") or TOMBSTONES / "tombstones.jsonl")

# -- words and days ------------------------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
BACKUP_DAYS = whole_number("OUTPOST_BACKUP_DAYS", 7, least=1)
BACKUP_HOUR = whole_number("OUTPOST_BACKUP_HOUR", 1)  # of the day in UTC
NIGHT_GRACE_HOURS = whole_number("OUTPOST_NIGHT_GRACE_HOURS", 2)

# -- files and caches ----------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = OUTPOST_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
FILE_COPIES = OUTPOST_HOME / "copies"  # of uploads, which live in the database, while this machine works on them
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
STORAGES = {
    "default": {"BACKEND": "teams.edges.filestore.StoredFiles"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or places.is_testing()
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
CACHE_URL = text("OUTPOST_CACHE_URL") or ("" if text("CELERY_BROKER_URL") else places.embedded_cache_url())
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# -- mail, API, admin, history, logs -------------------------------------------------------------------------------------

EMAIL_HOST = text("OUTPOST_MAIL_HOST")
EMAIL_PORT = whole_number("OUTPOST_MAIL_PORT", 25, least=1)
EMAIL_HOST_USER = text("OUTPOST_MAIL_USER")
EMAIL_HOST_PASSWORD = text("OUTPOST_MAIL_PASSWORD")
EMAIL_USE_TLS = switch("OUTPOST_MAIL_TLS", False)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = OUTPOST_HOME / "mail"  # without a mail host every message is kept here, to be read
DEFAULT_FROM_EMAIL = SERVER_EMAIL = text("OUTPOST_MAIL_FROM", "outpost@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "teams.entry.tokens.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["teams.edges.parsing.BoundedJSON"],
    "DEFAULT_FILTER_BACKENDS": [],
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_PAGINATION_CLASS": "teams.edges.paging.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "teams.edges.api.refuse",
    "PAGE_SIZE": 50,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Outpost",
    "DESCRIPTION": (
        "Rows are those in the caller's reach; what lies beyond it is 404, as if it were not there. Lists come in pages "
        "(`page`, `page_size` up to 500) in the order of `sort`. Moments are ISO 8601 with their offset from UTC, days are "
        "local days of the agent or queue, and decimals are digits in quotes. Log in with `Authorization: Token …`, made "
        "at `/api/v1/token/`."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.openapi.tell_answers"],
    "ENUM_NAME_OVERRIDES": {
        "LanguageEnum": "django.conf.settings.LANGUAGES",
        "StatusEnum": "approvals.models.statuses.Base",
        "ChosenStatusEnum": "approvals.services.statuses.choosing.CHOICES",
        "RequestStateEnum": "approvals.models.requests.ApprovalRequest.State",
        "BlockStateEnum": "approvals.models.blacklist.BlockEntry.State",
        "SubjectKindEnum": "approvals.models.blacklist.BlockEntry.Kind",
        "BlockReasonEnum": "approvals.models.blacklist.BlockEntry.Reason",
        "ChannelEnum": "approvals.models.blacklist.BlockEntry.Channel",
        "ReplyChannelEnum": "approvals.models.replies.Channel",
        "RoleEnum": "teams.models.people.Agent.Role",
        "BatchStateEnum": "incentives.models.money.Batch.State",
        "PlanVersionStateEnum": "incentives.models.plans.PlanVersion.State",
    },
}
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105 - the name of a model
REST_KNOX = {"TOKEN_TTL": None, "AUTO_REFRESH": False, "TOKEN_LIMIT_PER_USER": 10}

SIMPLE_HISTORY_REVERT_DISABLED = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_USE_TRANSACTIONS = True

UNFOLD = {
    "SITE_TITLE": "Outpost",
    "SITE_HEADER": "Outpost",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("outpost/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("outpost/mark.svg")}],
    "STYLES": [
        lambda request: static("outpost/admin.css"),
        lambda request: static("outpost/lists.css"),
        lambda request: static("outpost/palette.css"),
        lambda request: static("outpost/progress.css"),
    ],
    "SCRIPTS": [
        lambda request: static("outpost/charts.js"),
        lambda request: static("outpost/lists.js"),
        lambda request: static("outpost/palette.js"),
        lambda request: static("outpost/progress.js"),
    ],
    "ACCOUNT": {
        "navigation": [
            {"title": _("Time zone"), "link": reverse_lazy("account")},
            {"title": _("My notices"), "link": reverse_lazy("notices")},
            {"title": _("My data"), "link": reverse_lazy("my_data")},
            {"title": _("Change password"), "link": reverse_lazy("password_change")},
            {"title": _("Second factor"), "link": reverse_lazy("second_factor")},
            {"title": _("Sessions and tokens"), "link": reverse_lazy("my_entries")},
        ]
    },
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "DASHBOARD_CALLBACK": "config.dashboard.fill",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "config.menu.for_request"},
    "COLORS": {
        "primary": {
            "50": "#ecfdf8",
            "100": "#d0f9ec",
            "200": "#a5f1db",
            "300": "#6be4c6",
            "400": "#30ceac",
            "500": "#0cb394",
            "600": "#04806c",
            "700": "#067363",
            "800": "#0a5b50",
            "900": "#0d4b43",
            "950": "#022b28",
        }
    },
}

LOG_FORM = text("OUTPOST_LOG_FORM", "json")
if LOG_FORM not in logs.FORMS:
    raise ImproperlyConfigured(f"OUTPOST_LOG_FORM must be json or lines, not {LOG_FORM!r}.")
LOG_LEVEL = text("OUTPOST_LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise ImproperlyConfigured(f"OUTPOST_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {LOG_LEVEL!r}.")
LOGGING = logs.configuration(LOG_FORM, LOG_LEVEL)

# -- what the operator watches, and chat robots beside the four services -----------------------------------------------------

METRICS_TOKEN = text("OUTPOST_METRICS_TOKEN")
CHAT_ORIGINS = [origin.rstrip("/") for origin in text("OUTPOST_CHAT_ORIGINS").split(",") if origin.strip()]
for origin in CHAT_ORIGINS:
    if urlsplit(origin).scheme not in {"http", "https"} or not urlsplit(origin).hostname or urlsplit(origin).path:
        raise ImproperlyConfigured(
            f"OUTPOST_CHAT_ORIGINS must name origins as in https://chat.example.com, not {origin!r}."
        )
