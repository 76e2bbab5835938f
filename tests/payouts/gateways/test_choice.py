"""Who sends money to banks, by the settings of the site."""

import pytest

from billing.gateways.base import NotSetUp
from devstack.checks import production_environment
from payouts.gateways import bank
from tests.billing.gateways.fake_server import SECRET_KEY
from tests.billing.gateways.test_choice import KEYS
from tests.demo.test_production import run

from .conftest import AT

LOADED = """
import sys, django
django.setup()
from django.utils import timezone
from payouts.gateways import bank
print(bank(timezone.now()).name, "stripe" in sys.modules)
"""


class TestBank:
    def test_is_the_sandbox_in_tests_and_demo(self):
        assert (bank(AT).name, bank(AT).at) == ("sandbox", AT)

    def test_is_stripe_with_the_keys_that_take_cards(self, settings):
        settings.STRIPE_SECRET_KEY = SECRET_KEY

        assert bank(AT).name == "stripe"
        assert bank(AT) is bank(AT)

    @pytest.mark.parametrize("ask", ["begin_link", "finish_link", "details", "send", "look_up"])
    def test_is_none_in_production_without_keys(self, settings, ask):
        settings.IS_PRODUCTION = True

        with pytest.raises(NotSetUp, match="not set up"):
            getattr(bank(AT), ask)("x")
        with pytest.raises(NotSetUp):
            bank(AT).parse_webhook(b"", {}, at=AT)

    def test_leaves_stripes_library_alone_if_it_is_not_needed(self):
        production = production_environment()

        assert run(LOADED, **production).stdout == "none False\n"
        assert run(LOADED, **production | KEYS).stdout == "stripe True\n"
