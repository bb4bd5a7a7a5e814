"""Settings, from the environment only. Without any, the product runs on SQLite and a broker in the file system.

Every variable is described in ``deploy/environment.example``; mistakes that the readers cannot see become system
checks (``erp/checks.py``).
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from erp import environment
from erp.broker import broker_settings
from erp.caching.backend import cache_address, cache_settings
from erp.connections import postgres_options
from erp.secret import installation_secret

django_stubs_ext.monkeypatch()  # lets generic Django classes name their model at run time as well

# Work is shared out over processes; threads of one process would only compete with the others for the cores.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(environment.text("VAR_DIR", str(BASE_DIR / "var")))
DEBUG = environment.boolean("DEBUG", default=False)
PRODUCTION = environment.boolean("PRODUCTION", default=False)
SECRET_KEY = environment.text("SECRET_KEY")
if PRODUCTION and not SECRET_KEY:
    raise ImproperlyConfigured(
        "PRODUCTION is on, but SECRET_KEY is not set. "
        "Set SECRET_KEY, or SECRET_KEY_FILE, to 50 or more random characters, the same for every process."
    )
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("PRODUCTION and DEBUG are both on; error pages would show internals. Unset DEBUG.")
SECRET_KEY = SECRET_KEY or installation_secret(VAR_DIR)
ALLOWED_HOSTS = environment.items("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]", "testserver"))
CSRF_TRUSTED_ORIGINS = environment.items("CSRF_TRUSTED_ORIGINS")

# Applications

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_results",
    "django_celery_beat",
    "erp.lockout.apps.LockOutConfig",
    "erp",
    "datasync",
    "ratelimits",
]
MIDDLEWARE = [
    "erp.middleware.RequestIdMiddleware",
    "erp.middleware.OneWaitMiddleware",
    "ratelimits.limits.middleware.RateHeadersMiddleware",
    "erp.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "erp.middleware.EitherSlashMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ratelimits.limits.middleware.RateLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "erp.urls"
WSGI_APPLICATION = "erp.wsgi.application"
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
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Database

DATABASE_URL = environment.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'erp.sqlite3'}")
try:
    DATABASES: dict[str, Any] = {
        "default": dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
    }
except ValueError:  # whose text would show the password
    raise ImproperlyConfigured(
        "DATABASE_URL is no address of a database; write postgresql://user:password@host/name."
    ) from None
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;",
    }
else:
    DATABASES["default"]["ENGINE"] = "erp.postgresql"
    DATABASES["default"]["OPTIONS"] = postgres_options(DATABASES["default"].get("OPTIONS", {}))

# Celery

REDIS_URL = environment.text("REDIS_URL")
SOFT_LIMIT_SECONDS = environment.integer("SOFT_LIMIT_SECONDS", 1500, least=1)
HARD_LIMIT_SECONDS = environment.integer(
    "HARD_LIMIT_SECONDS", max(1800, SOFT_LIMIT_SECONDS + 300), least=SOFT_LIMIT_SECONDS + 1
)
for _name, _value in broker_settings(
    url=environment.text("CELERY_BROKER_URL") or REDIS_URL,
    folder=VAR_DIR / "broker",
    sentinel_master=environment.text("SENTINEL_MASTER", "mymaster"),
    soft_limit=SOFT_LIMIT_SECONDS,
    hard_limit=HARD_LIMIT_SECONDS,
).items():
    globals()[f"CELERY_{_name.upper()}"] = _value
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_DB_REUSE_MAX = 1_000_000  # a slice drops a dead connection itself; a new one for each message costs 7 ms
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "recover tasks": {"task": "scheduled.recover_tasks", "schedule": 15.0, "options": {"expires": 15}},
    "compute in advance what is asked for": {
        "task": "scheduled.warm_cache",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "forget refused requests": {
        "task": "tasks.stats.purge_rate_limit_events",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "charge what was missed": {"task": "tasks.credits.consume", "schedule": 300.0, "options": {"expires": 300}},
    "expire credits": {"task": "tasks.credits.expire", "schedule": 900.0, "options": {"expires": 900}},
    "check credits": {"task": "tasks.credits.check", "schedule": 86_400.0, "options": {"expires": 86_400}},
}

# Sync

DATA_ROOTS = [Path(part).absolute() for part in environment.items("DATA_ROOTS", (str(VAR_DIR / "inbox"),))]
UPLOAD_DIR = Path(environment.text("UPLOAD_DIR", str(VAR_DIR / "uploads"))).absolute()
UPLOAD_BUCKET = environment.text("UPLOAD_BUCKET")
_UPLOADS: dict[str, Any] = {"BACKEND": "erp.storages.folder.UploadFolder"}
if UPLOAD_BUCKET:
    _UPLOADS = {
        "BACKEND": "erp.storages.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": UPLOAD_BUCKET,
            "location": environment.text("UPLOAD_PREFIX"),
            "endpoint_url": environment.text("UPLOAD_ENDPOINT_URL") or None,
            "region_name": environment.text("UPLOAD_REGION") or None,
            "access_key": environment.text("UPLOAD_ACCESS_KEY_ID") or None,
            "secret_key": environment.text("UPLOAD_SECRET_ACCESS_KEY") or None,
        },
    }
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "uploads": _UPLOADS,
}
UPLOAD_LIMIT_BYTES = environment.integer("UPLOAD_LIMIT_MB", 200, least=1) * 1024 * 1024
DRY_RUN_MOST_BYTES = environment.integer("DRY_RUN_LIMIT_MB", 20, least=1) * 1024 * 1024
DRY_RUN_SECONDS = environment.integer("DRY_RUN_SECONDS", 20, least=1)
EXECUTION = environment.choice("ERP_EXECUTION", "celery", among=("celery", "local"))
LOCAL_WORKERS = environment.integer("LOCAL_WORKERS", 2, least=1, most=16)
BATCH_WINDOW = environment.integer("BATCH_WINDOW", 10, least=1, most=100)
BATCH_DEADLINE_SECONDS = environment.integer("BATCH_DEADLINE_SECONDS", 1800, least=60, most=6 * 3600)
SLICE_SECONDS = 1.0
AGEING_SECONDS = environment.integer("AGEING_SECONDS", 30, least=1)
WORKER_NICE = environment.integer("WORKER_NICE", 10, most=19)
WORKER_OWN_CORE = environment.boolean("WORKER_OWN_CORE", default=False)
LEASE_SECONDS = environment.integer("LEASE_SECONDS", 60, least=5)
READER_MEMORY_BYTES = environment.integer("READER_MEMORY_MB", 3072, least=256) * 1024 * 1024
READER_SECONDS = environment.integer("READER_SECONDS", 1500, least=1)
DELETE_AT_ONCE_ROWS = environment.integer("DELETE_AT_ONCE_ROWS", 50_000)
EXPORT_DIR = Path(environment.text("EXPORT_DIR", str(VAR_DIR / "exports"))).absolute()
EXPORT_MOST_BYTES = environment.integer("EXPORT_MOST_MB", 2048, least=1) * 1024 * 1024
EXPORT_URL_HOURS = environment.integer("EXPORT_URL_HOURS", 24, least=1)
QUOTA_ACTIVE_TASKS = environment.integer("QUOTA_ACTIVE_TASKS", 10, least=1)
CREDITS_REQUIRED = environment.boolean("CREDITS_REQUIRED", default=False)
GROWING_SECONDS = environment.integer("GROWING_SECONDS", 5)
LOSS_ALERT_PERCENT = environment.percent("LOSS_ALERT_PERCENT", 5.0)

# API

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["erp.api.renderers.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["erp.api.parsers.BoundedJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "erp.api.authentication.TokenAuthentication",
        "erp.api.authentication.BrowserSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "erp.api.document.CallSchema",
    "EXCEPTION_HANDLER": "erp.api.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ERP data sync",
    "DESCRIPTION": "From marketplace export files to clean tables.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "erp.api.document.complete"],
    "ENUM_NAME_OVERRIDES": {
        "Domain": "datasync.choices.DomainChoice",
        "SubDomain": "datasync.choices.SubDomain",
        "Granularity": "datasync.choices.Granularity",
        "FileStatus": "datasync.choices.FileState",
        "TaskStatus": "datasync.choices.TaskState",
        "TaskType": "datasync.choices.TaskKind",
        "FileResultStatus": "datasync.choices.ItemState",
        "ExportStatus": "datasync.choices.ExportState",
        "ExportKind": "datasync.choices.ExportKind",
        "RowsFate": "datasync.choices.RowsFate",
        "TemplateStatus": "datasync.choices.TemplateState",
        "QuarantineState": "datasync.choices.QuarantineState",
        "RateLimitScope": "ratelimits.limits.choices.Scope",
        "CreditEntryKind": "ratelimits.credits.choices.EntryKind",
        "AnomalyLevel": "ratelimits.events.choices.Level",
        "ReasonCode": "datasync.api.requests.quarantine.REASONS",
    },
}
TOKEN_DAYS = environment.integer("TOKEN_DAYS", 30, least=1)
WEB_THREADS = environment.integer("WEB_THREADS", 8, least=2, most=200)
STREAMS_AT_ONCE = WEB_THREADS // 2  # of each web process: a stream holds a thread, and requests need some too
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Cache

CACHES: dict[str, Any] = {"default": cache_settings(cache_address(environment.text("CACHE_URL"), otherwise=REDIS_URL))}

# Languages, time, static files

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / room / "locale" for room in ("erp", "datasync", "ratelimits")]
USE_TZ = True
TIME_ZONE = environment.text("TIME_ZONE", "UTC")
COLLECTION_TIME_ZONE = environment.time_zone("COLLECTION_TIME_ZONE", "UTC")
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = True

# Security

TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES")
RATE_LIMITS_ENABLED = environment.boolean("RATE_LIMITS_ENABLED", default=True)
AUTHENTICATION_BACKENDS = ["erp.lockout.backend.LockOutBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = environment.integer("SIGN_IN_FAILURES", 5, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=environment.integer("SIGN_IN_LOCK_MINUTES", 15, least=1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "erp.lockout.backend.counted_address"
AXES_LOCKOUT_CALLABLE = "erp.lockout.services.locked_out_answer"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # nobody can keep somebody else out for ever
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # erp.lockout.admin shows what counts
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "erp.sessions"
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = environment.boolean("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = environment.integer("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Logging

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"axes": {"level": "ERROR"}},  # erp.lockout.receivers says what matters
    "root": {"handlers": ["stderr"], "level": environment.choice(
        "LOG_LEVEL", "INFO", among=("DEBUG", "INFO", "WARNING", "ERROR"))},
}  # fmt: skip
