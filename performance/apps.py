from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PerformanceConfig(AppConfig):
    name = "performance"
    verbose_name = _("Performance")

    def ready(self) -> None:
        from performance import partitions, personal_classes, phone_alarm
        from performance.models import ImportRun
        from performance.reports import digest
        from performance.services import intake, night
        from teams import doctor, gauges, jobs, outbox, sight
        from teams.models import Team

        jobs.register(night.ROLL_UP, night.roll_up, night.expected_roll_ups, words=_("Figures of a day"))
        jobs.register(night.TODAY, night.roll_up_today, night.expected_today, words=_("Figures of today so far"))
        by_team = jobs.called(Team, "name")
        jobs.register(night.REPORT, night.make_report, night.expected_reports, words=_("Nightly report"), about=by_team)
        by_file = jobs.called(ImportRun, "file_name")
        jobs.register(intake.JOB, intake.work, cancelled=intake.cancelled, words=_("Intake of a file"), about=by_file)
        personal_classes.enter_all()
        outbox.register(
            "reveal_limit",
            phone_alarm.limit_mail,
            title=_("Many revealed numbers"),
            is_urgent=True,
            concerns=lambda person: person.is_superuser,
        )
        outbox.register("report", digest.last_night, title=_("Nightly report"), concerns=digest.concerns)
        outbox.register("report_catch_up", digest.caught_up, title=_("Reports caught up"), concerns=digest.concerns)
        doctor.register("months", partitions.checked)
        gauges.register(
            "outpost_intake_rows", "Contacts written or renewed, as the database counts.", partitions.rows_written
        )
        team, agent = "teams.Team", "teams.Agent"
        sight.register("figures", _("figures of persons"), "performance.AgentDay", team, agent)
        sight.register("team_figures", _("figures of the team"), "performance.TeamDay", team)
        sight.register("contacts", _("single contacts"), "performance.Contact", team, agent, "performance.Contact")
        sight.register("reports", _("nightly reports"), "performance.NightlyReport", team, "performance.NightlyReport")
        sight.register("deliveries", _("sources and deliveries"), "performance.Source", team)
