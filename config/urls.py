"""The addresses of all doors."""

from django.urls import include, path
from django.utils.module_loading import autodiscover_modules

from config import health, palette, telemetry, views
from performance.views import people, starting
from teams import personal_views, progress_views, undo_views
from teams import views as accounts
from teams.edges import viewing
from teams.edges.admin import site
from teams.entry import views as entry

autodiscover_modules("admin", register_to=site)

handler400, handler404, handler500 = (
    "config.errors.bad_request",
    "config.errors.not_found",
    "config.errors.server_error",
)

urlpatterns = [
    path("", views.home, name="home"),
    path("log-in/", accounts.LogIn.as_view(), name="login"),
    path("log-in/code/", entry.login_code, name="login_code"),
    path("log-out/", accounts.LogOut.as_view(), name="logout"),
    path("password/", accounts.ChangePassword.as_view(), name="password_change"),
    path("account/", accounts.account, name="account"),
    path("account/notices/", include("teams.channels.urls")),
    path("account/data/", personal_views.my_data, name="my_data"),
    path("account/data/<int:pk>/", personal_views.my_data_file, name="my_data_file"),
    path("progress/<int:pk>/", progress_views.progress, name="progress"),
    path("progress/<int:pk>/cancel/", progress_views.cancel, name="progress_cancel"),
    path("admin/people-data/", site.admin_view(personal_views.rules), name="people_data"),
    path("find/", palette.find, name="find"),
    path("account/second-factor/", entry.second_factor, name="second_factor"),
    path("account/second-factor/codes/", entry.second_factor_codes, name="second_factor_codes"),
    path("account/second-factor/remove/", entry.second_factor_remove, name="second_factor_remove"),
    path("account/sessions/", entry.my_entries, name="my_entries"),
    path("account/sessions/end/", entry.end_entry, name="end_entry"),
    path("language/", views.set_language, name="set_language"),
    path("viewing/stop/", viewing.stop, name="stop_viewing"),
    path("invited/<slug:token>/", accounts.invited, name="invited"),
    path("start/<slug:key>/", starting.begin, name="first_start"),
    path("me/", include("performance.urls")),
    path("me/", include("approvals.urls")),
    path("me/incentives/", include("incentives.urls")),
    # The admin's own log-in, log-out and password pages stand aside for the ones above.
    path("admin/login/", accounts.admin_log_in, name="admin_log_in"),
    path("admin/logout/", accounts.LogOut.as_view(), name="admin_log_out"),
    path("admin/password_change/", accounts.ChangePassword.as_view(), name="admin_password"),
    path("admin/people/<int:pk>/", site.admin_view(people.agent_figures), name="agent_figures"),
    path("admin/board/", include("approvals.views.board")),
    path("admin/undo/<int:pk>/", site.admin_view(undo_views.page), name="undo"),
    path("admin/intake/", include("performance.views.uploads")),
    path("admin/start/", include("performance.views.starting")),
    path("admin/", site.urls),
    path("api/", include("config.api")),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/worker", health.worker, name="health-worker"),
    path("metrics", telemetry.metrics, name="metrics"),
]
