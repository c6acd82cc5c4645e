"""The own pages of approvals, below /me/; each part names its pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("approvals.views.requests")),
    path("", include("approvals.views.statuses")),
    path("", include("approvals.views.employment")),
    path("", include("approvals.views.replies")),
    path("blacklist/", include("approvals.views.blacklist")),
]
