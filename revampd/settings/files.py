"""Files: those that the pages use, and those that people attach."""

from typing import Any

from .environment import IS_PRODUCTION, IS_TEST, LOCAL, ROOT, env

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
