"""Settings, all from the environment: see the table in README.md."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
env = environ.Env()

# Mode

MODE = env.str("REVAMPD_MODE", default="production")
if MODE not in ("production", "demo", "test"):
    raise ImproperlyConfigured("REVAMPD_MODE is production, demo or test")
IS_PRODUCTION = MODE == "production"
IS_DEMO = MODE == "demo"
IS_TEST = MODE == "test"
DEBUG = False

LOCAL = Path(env.str("REVAMPD_LOCAL_DIR", default=str(ROOT / ".local")))
SECRET_KEY = env.str(
    "REVAMPD_SECRET_KEY", default="" if IS_PRODUCTION else "only-for-demo-and-tests"
)
if not SECRET_KEY:
    raise ImproperlyConfigured("Set REVAMPD_SECRET_KEY to a long random text.")
SECRET_KEY_FALLBACKS = env.list("REVAMPD_SECRET_KEYS_BEFORE", default=[])
BASE_URL = env.str("REVAMPD_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
if IS_DEMO and BASE_URL.startswith("https://"):
    raise ImproperlyConfigured(
        "A demo signs in everybody without a password, so it has no place behind https://. "
        "Set REVAMPD_MODE=production, or an http:// REVAMPD_BASE_URL."
    )
ALLOWED_HOSTS = env.list("REVAMPD_ALLOWED_HOSTS", default=[urlsplit(BASE_URL).hostname])
if not IS_PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL.startswith("https://") else []

# Apps, each above those that it imports

INSTALLED_APPS = [
    "revampd",
    "payouts",
    "billing",
    "tickets",
    "notifications",
    "connections",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_filters",
    "csp",
    "pgtrigger",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "revampd.kit.middleware.BrowserRules",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "revampd.kit.middleware.UploadLimit",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "revampd.kit.middleware.HtmxLogin",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "revampd.kit.middleware.ReaderTimeZone",
    "revampd.kit.middleware.Origin",
    "revampd.kit.middleware.Refusals",
]

ROOT_URLCONF = "revampd.urls"
WSGI_APPLICATION = "revampd.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "revampd.context.page",
                *(
                    ["revampd.demo.context.people", "revampd.demo.context.moved_clock"]
                    if IS_DEMO
                    else []
                ),
            ],
            "builtins": [
                "django.templatetags.static",
                "django.contrib.humanize.templatetags.humanize",
                "django_htmx.templatetags.django_htmx",
                "revampd.templatetags.ui",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Data

DATABASE_URL = env.str("REVAMPD_DATABASE_URL", default="postgres:///revampd")
DATABASE_OPTIONS = {
    # A statement that waits long for a lock, or runs away, gives its worker back.
    "options": "-c lock_timeout=5s -c statement_timeout=30s"
    " -c idle_in_transaction_session_timeout=60s",
    # What revampd/kit/prepared.py sends is planned once a connection.
    "prepare_threshold": 2,
}


def database(url: str) -> dict[str, Any]:
    """Django's settings of one database role."""
    parsed: dict[str, Any] = environ.Env.db_url_config(url)
    options = DATABASE_OPTIONS | parsed.pop("OPTIONS", {})
    return parsed | {"OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


DATABASES = {
    # The application's role: it cannot change or empty what is append-only.
    "default": database(DATABASE_URL),
    # The role that owns the schema; only `manage.py migrate` uses it.
    "owner": database(env.str("REVAMPD_DATABASE_OWNER_URL", default=DATABASE_URL))
    | {"TEST": {"MIRROR": "default"}, "CONN_MAX_AGE": 0},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REVAMPD_REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "revampd.kit.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
# A lost cache signs nobody out: the database has the sessions too.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# People

AUTH_USER_MODEL = "connections.User"
AUTHENTICATION_BACKENDS = ["connections.backends.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
if IS_TEST:  # A slow hash protects people; the made-up ones of the tests need none.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "payouts.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "payouts.accounts.SignupForm",
    "reauthenticate": "connections.second_factor.ReauthenticateForm",
}
# People do not see it; who fills it in is no person, and gets no account.
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "website"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("REVAMPD_TRUSTED_PROXIES", default=0)
MFA_ADAPTER = "connections.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Revampd"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION
USERSESSIONS_TRACK_ACTIVITY = False

# Mail

EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("REVAMPD_FROM_EMAIL", default="Revampd <billing@revampd.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_FILE_PATH = str(LOCAL / "mail")
if IS_DEMO and not env.str("REVAMPD_EMAIL_URL", default=""):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
else:
    vars().update(env.email_url("REVAMPD_EMAIL_URL", default="smtp://localhost:25"))
# What signs reports of mail that came back, as Standard Webhooks do. Without it nobody reports.
MAIL_WEBHOOK_SECRET = env.str("REVAMPD_MAIL_WEBHOOK_SECRET", default="")

# Work in the background: PostgreSQL holds what is to do, the broker only rings


def broker_url(redis_url: str) -> str:
    """Celery's spelling of `REVAMPD_REDIS_URL`; it differs for a unix socket."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Nobody waits for a dead or hung broker: a request rings once, beat sweeps for what was missed.
    "max_retries": 0,
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
    "visibility_timeout": 600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 540
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "tell what happened": {"task": "notifications.drain_events", "schedule": 5},
    "compose daily summaries": {"task": "notifications.compose_digests", "schedule": 60},
    "send mail": {"task": "notifications.send_deliveries", "schedule": 15},
    "expire requests": {"task": "billing.expire_requests", "schedule": 10 * 60},
    "remind of requests": {"task": "billing.remind_of_requests", "schedule": 30 * 60},
    "bill what is due": {"task": "billing.run_cycle", "schedule": 60 * 60},
    "verify the books": {
        "task": "billing.verify_books",
        "schedule": crontab(hour="3", minute="30"),
    },
    "check the books for staff": {"task": "billing.check_books", "schedule": 60},
    "collect payments": {"task": "billing.collect_payments", "schedule": 3 * 60},
    "reconcile payments": {"task": "billing.reconcile_payments", "schedule": 60},
    "look for disputes": {
        "task": "billing.find_disputes",
        "schedule": crontab(hour="*/6", minute="17"),
    },
    "settle refunds": {"task": "billing.settle_refunds", "schedule": 60},
    "work off webhooks": {"task": "billing.work_off_webhooks", "schedule": 15},
    "import Sub-Orgs": {"task": "billing.import_sub_orgs", "schedule": 5},
    "collect earnings": {"task": "payouts.collect_earnings", "schedule": 5 * 60},
    "close the week": {"task": "payouts.close_weeks", "schedule": 15 * 60},
    "pay affiliates": {"task": "payouts.pay_affiliates", "schedule": 15 * 60},
    "work off webhooks of payouts": {"task": "payouts.work_off_webhooks", "schedule": 15},
    "send payouts": {"task": "payouts.send_transfers", "schedule": 60},
    "make PDFs": {"task": "billing.file_documents", "schedule": 60},
}
if IS_DEMO:
    CELERY_IMPORTS = ["revampd.demo.tasks"]
    CELERY_BEAT_SCHEDULE["move the demo's clock"] = {"task": "demo.move_clock", "schedule": 5}

# Payments

# How long after an invoice is past due its connection is suspended.
BILLING_GRACE_DAYS = env.int("REVAMPD_GRACE_DAYS", default=14)
STRIPE_SECRET_KEY = env.str("REVAMPD_STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("REVAMPD_STRIPE_WEBHOOK_SECRET", default="")
# Those of the endpoints that tell of transfers and of Partners' accounts, one each.
STRIPE_PAYOUT_WEBHOOK_SECRETS = env.list("REVAMPD_STRIPE_PAYOUT_WEBHOOK_SECRETS", default=[])
STRIPE_API_BASE = ""  # Stripe's own; tests have a server of theirs
if bool(STRIPE_SECRET_KEY) != bool(STRIPE_WEBHOOK_SECRET):
    raise ImproperlyConfigured(
        "Set both REVAMPD_STRIPE_SECRET_KEY and REVAMPD_STRIPE_WEBHOOK_SECRET, or neither."
    )
# Where no money is real, the sandbox stands in for a gateway and its webhooks are delivered here.
HAS_SANDBOX = not IS_PRODUCTION and not STRIPE_SECRET_KEY
if HAS_SANDBOX:
    for app in ("billing", "payouts"):
        CELERY_BEAT_SCHEDULE[f"deliver the sandbox's webhooks of {app}"] = {
            "task": f"{app}.deliver_sandbox_webhooks",
            "schedule": 5,
        }

# What is compared every night, an app each
BOOKS = [
    "billing.books",
    "payouts.books",
    "payouts.affiliates.books",
]

# What else happens with an event, in the transaction that records it: apps that do not know each
# other take part in one another's changes through the composition alone.
FOLLOWERS = {
    f"billing_request.{what}": ["revampd.charges.follow"]
    for what in ("sent", "revised", "approved", "rejected", "withdrawn", "expired")
} | {
    what: ["billing.revenue.forget"]
    for what in (
        *("subscription.started", "subscription.changed", "subscription.canceled"),
        *("subscription.kept", "add_on.joined", "add_on.reduced", "add_on.removed"),
        *("add_on.retained", "tier.held"),
    )
}

# Payouts

# The day on which a week of earnings begins, Monday is 0. The days are those of Revampd's own time
# zone, which stands in its settings.
PAYOUT_WEEKDAY = env.int("REVAMPD_PAYOUT_WEEKDAY", default=0)
# How long nothing is sent to a bank account that took the place of another.
PAYOUT_HOLD_DAYS = env.int("REVAMPD_PAYOUT_HOLD_DAYS", default=3)
# Whether referrers are paid by the week or by the month, and how many days a closed period waits
# before it goes into their wallets.
AFFILIATE_PERIOD = env.str("REVAMPD_AFFILIATE_PERIOD", default="month")
AFFILIATE_WAIT_DAYS = env.int("REVAMPD_AFFILIATE_WAIT_DAYS", default=3)
if AFFILIATE_PERIOD not in ("week", "month"):
    raise ImproperlyConfigured("REVAMPD_AFFILIATE_PERIOD is week or month.")
if AFFILIATE_WAIT_DAYS < 0:
    raise ImproperlyConfigured("REVAMPD_AFFILIATE_WAIT_DAYS is a number of days, 0 for none.")
if not 0 <= PAYOUT_WEEKDAY <= 6:
    raise ImproperlyConfigured("REVAMPD_PAYOUT_WEEKDAY is a number from 0 (Monday) to 6.")

# Words and time

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# Files

STATIC_URL = "/static/"
STATIC_ROOT = LOCAL / "static" if not IS_PRODUCTION else ROOT / "staticfiles"
STATICFILES_DIRS = [ROOT / "static"]
STATICFILES_STORAGE_BACKEND = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if IS_TEST
    else "revampd.kit.stylesheets.JoinedStylesheets"
)


def attachments() -> dict[str, Any]:
    """Where the files of tickets lie: a folder, or a bucket of anything that speaks S3.

    Nobody but the application reaches either; what is served goes through the door.
    """
    bucket = env.str("REVAMPD_S3_BUCKET", default="")
    if not bucket:
        folder = env.str("REVAMPD_ATTACHMENTS_DIR", default=str(LOCAL / "attachments"))
        options = {"location": folder, "base_url": None, "file_permissions_mode": 0o600}
        backend = "django.core.files.storage.FileSystemStorage"
        return {"BACKEND": backend, "OPTIONS": options}
    options = {
        "bucket_name": bucket,
        "endpoint_url": env.str("REVAMPD_S3_ENDPOINT", default="") or None,
        "region_name": env.str("REVAMPD_S3_REGION", default="") or None,
        "access_key": env.str("REVAMPD_S3_ACCESS_KEY", default="") or None,
        "secret_key": env.str("REVAMPD_S3_SECRET_KEY", default="") or None,
        "default_acl": None,
        "file_overwrite": False,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATICFILES_STORAGE_BACKEND},
    "attachments": attachments(),
}
# Tests serve files as they are, and look for each only when it is asked for.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = IS_TEST

# What browsers may do with our pages

# A form of ours may lead, by a redirect, to the pages on which cards are added and confirmed, and
# bank accounts linked.
PAYMENT_PAGES = (
    ["https://checkout.stripe.com", "https://hooks.stripe.com", "https://connect.stripe.com"]
    if STRIPE_SECRET_KEY
    else []
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", *PAYMENT_PAGES],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_PRODUCTION
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "revampd.views.site.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "revampd.kit.uploads.BoundedUpload",
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
