"""REST doors of approvals, one module per subject; `register` puts them into the router of `config.api`."""

from rest_framework.routers import BaseRouter

from approvals.api import blacklist, replies, requests, statuses


def register(router: BaseRouter) -> None:
    requests.register(router)
    statuses.register(router)
    replies.register(router)
    blacklist.register(router)
