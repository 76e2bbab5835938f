"""Who stands behind the port, by the settings of the site."""

import subprocess
import sys

import pytest
from django.core.checks import run_checks

from billing.gateways import gateway
from billing.gateways.base import NotSetUp
from devstack.checks import production_environment
from devstack.places import ROOT
from tests.demo.test_production import run

from .conftest import AT
from .fake_server import SECRET_KEY

KEYS = {"REVAMPD_STRIPE_SECRET_KEY": SECRET_KEY, "REVAMPD_STRIPE_WEBHOOK_SECRET": "whsec_x"}
FORM_ACTION = """
from django.conf import settings
print(*settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"])
"""
LOADED = """
import sys, django
django.setup()
from billing.gateways import gateway
print(gateway().name, "stripe" in sys.modules)
"""


class TestGateway:
    def test_is_the_sandbox_in_tests_and_demo(self):
        assert gateway().name == "sandbox"

    def test_of_the_sandbox_lives_in_the_time_that_it_is_given(self):
        assert gateway(AT).at == AT

    def test_is_stripe_with_keys(self, settings):
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = SECRET_KEY, "whsec_x"

        assert gateway().name == "stripe"
        assert gateway() is gateway(AT)

    @pytest.mark.parametrize(
        ("ask", "arguments"),
        [
            *(("begin_setup", 2), ("finish_setup", 1), ("detach", 1), ("charge", 1)),
            *(("look_up", 1), ("authorization_url", 2), ("cancel", 1), ("refund", 1)),
            ("look_up_refund", 1),
        ],
    )
    def test_is_none_in_production_without_keys(self, settings, ask, arguments):
        settings.IS_PRODUCTION = True

        with pytest.raises(NotSetUp, match="not set up"):
            getattr(gateway(), ask)(*["x"] * arguments)
        with pytest.raises(NotSetUp):
            gateway().parse_webhook(b"", {}, at=AT)

    def test_leaves_stripes_library_alone_if_it_is_not_needed(self):
        production = production_environment()

        assert run(LOADED, **production).stdout == "none False\n"
        assert run(LOADED, **production | KEYS).stdout == "stripe True\n"


class TestSettings:
    @pytest.mark.parametrize("name", KEYS)
    def test_want_both_keys_or_none(self, name):
        started = run("import revampd.settings", **production_environment(), **{name: KEYS[name]})

        assert "Set both REVAMPD_STRIPE_SECRET_KEY" in started.stderr

    def test_let_forms_lead_to_stripes_pages_only_with_keys(self):
        production = production_environment()

        assert run(FORM_ACTION, **production).stdout == "'self'\n"
        assert run(FORM_ACTION, **production | KEYS).stdout == (
            "'self' https://checkout.stripe.com https://hooks.stripe.com"
            " https://connect.stripe.com\n"
        )


class TestCheck:
    def test_hints_at_missing_payments(self, settings):
        assert "billing.I001" in {
            message.id for message in run_checks(include_deployment_checks=True)
        }

        settings.STRIPE_SECRET_KEY = SECRET_KEY
        assert "billing.I001" not in {
            message.id for message in run_checks(include_deployment_checks=True)
        }

    def test_lets_a_site_without_payments_be_deployed(self):
        command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        checked = subprocess.run(
            command, cwd=ROOT, env=production_environment(), capture_output=True, check=False
        )
        assert (checked.returncode, b"billing.I001" in checked.stderr) == (0, True)
