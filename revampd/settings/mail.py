"""How mail leaves."""

from .environment import IS_DEMO, LOCAL, env

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
