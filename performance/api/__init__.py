"""REST doors of performance, one module per subject; `register` puts them into the router of `config.api`."""

from rest_framework.routers import BaseRouter

from performance.api import figures


def register(router: BaseRouter) -> None:
    figures.register(router)
