"""What stands in for a gateway on a production site that has none."""

from typing import NoReturn

from .base import NotSetUp


class NoGateway:
    """Says that payments are not set up. Everything else of the product works without them."""

    name = "none"

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise NotSetUp(
            "Payments are not set up on this site.", next_step="Its operator can connect a gateway."
        )

    begin_setup = finish_setup = detach = _refuse
    charge = look_up = authorization_url = cancel = _refuse
    refund = look_up_refund = _refuse
    look_up_dispute = disputes = parse_webhook = _refuse
