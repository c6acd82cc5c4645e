"""The REST router: every app registers its endpoints here. Schema and its page stand behind the log-in."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from approvals import api as approvals
from incentives import api as incentives
from performance import api as performance
from teams import api as teams

router = SimpleRouter()
teams.register(router)
approvals.register(router)
performance.register(router)
incentives.register(router)

urlpatterns = [
    path("v1/", include("performance.api.intake")),
    path("v1/", include(router.urls)),
    path("v1/me/", teams.MeView.as_view(), name="api-me"),
    path("v1/me/incentives/", incentives.TodayView.as_view(), name="incentives-today"),
    path("v1/token/", teams.TokenView.as_view(), name="api-token"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", http_method_names=["get", "head"]),
        name="api-docs",
    ),
]
