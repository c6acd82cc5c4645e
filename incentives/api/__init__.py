"""REST doors of incentives, one module for each subject; `register` puts them into the router of `config.api`.

Attainment is told without a word of money. Amounts open with SETTLE, from the networks of the organisation, and to the person
they are paid to. No file of a batch leaves here: each one taken is noted by the page that gives it.
"""

from rest_framework.routers import BaseRouter

from incentives.api import batches, lines, plans, runs
from incentives.api.today import TodayView

__all__ = ["TodayView", "register"]


def register(router: BaseRouter) -> None:
    plans.register(router)
    lines.register(router)
    runs.register(router)
    batches.register(router)
