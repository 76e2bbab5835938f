"""What stands in for a gateway on a site from which nothing can be sent to banks."""

from typing import NoReturn

from billing.gateways.base import NotSetUp


class NoBank:
    """Says that bank transfers are not set up. Payouts go to the wallet without it."""

    name = "none"

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise NotSetUp(
            "Bank transfers are not set up on this site.",
            next_step="Payouts can go to the wallet.",
        )

    begin_link = finish_link = details = send = look_up = parse_webhook = _refuse
