"""How people sign in, and what guards it."""

from .environment import IS_PRODUCTION, IS_TEST, env, number

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
ALLAUTH_TRUSTED_PROXY_COUNT = number("REVAMPD_TRUSTED_PROXIES", 0)
MFA_ADAPTER = "connections.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Revampd"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION
USERSESSIONS_TRACK_ACTIVITY = False
# Whether the admin opens only to staff who have set up a second factor.
STAFF_SECOND_FACTOR = env.bool("REVAMPD_STAFF_SECOND_FACTOR", default=IS_PRODUCTION)
# How long a member of staff can look at the pages as somebody else.
VIEW_AS_MINUTES = number("REVAMPD_VIEW_AS_MINUTES", 30, least=1)
