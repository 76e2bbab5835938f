"""Files of tests lie in a folder of their own."""

from typing import Any

import pytest
from django.core.files.storage import storages


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> Any:
    """Where attachments lie during a test."""
    own = settings.STORAGES["attachments"]
    options = own["OPTIONS"] | {"location": str(tmp_path)}
    settings.STORAGES = settings.STORAGES | {"attachments": own | {"OPTIONS": options}}
    assert storages["attachments"].path("") == str(tmp_path)
    return tmp_path
