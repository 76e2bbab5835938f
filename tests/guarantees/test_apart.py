"""No composite key is left untried."""

from pathlib import Path

import pytest
from django.apps import apps

from revampd.kit.constraints import CompositeForeignKey

HERE = Path(__file__).parent
TRIED = "".join(path.read_text() for path in HERE.glob("test_*.py"))
KEYS = [
    constraint.name
    for app in ("billing", "connections", "notifications")
    for model in apps.get_app_config(app).get_models()
    for constraint in model._meta.constraints
    if isinstance(constraint, CompositeForeignKey)
]


class TestKeys:
    @pytest.mark.parametrize("key", KEYS)
    def test_are_all_tried(self, key):
        assert f'"{key}"' in TRIED
