"""The site: its address, the apps it is made of, and what every page passes."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from .environment import IS_DEMO, IS_PRODUCTION, ROOT, env

SECRET_KEY = env.str("REVAMPD_SECRET_KEY", default="only-for-demo-and-tests")
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
    "revampd.kit.watching.Watched",
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
    "connections.staff.StaffSecondFactor",
    "connections.viewing.ViewAs",
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
    what: ["revampd.sums.forget"]
    for what in (
        *("subscription.started", "subscription.changed", "subscription.canceled"),
        *("subscription.kept", "add_on.joined", "add_on.reduced", "add_on.removed"),
        *("add_on.retained", "tier.held"),
    )
}

# Words and time

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
