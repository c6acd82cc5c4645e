from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


def nobody(person: object) -> bool:
    return False


class TeamsConfig(AppConfig):
    name = "teams"
    verbose_name = _("Teams")

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from teams import (
            checks,  # noqa: F401 - checks register themselves
            gauges,
            jobs,
            ledger,
            letters,
            outbox,
            personal_classes,
            recovery,
            retention,
            retention_classes,
            sight,
            walls,
        )
        from teams.entry import ending, last_login
        from teams.services import copies, erasure

        post_migrate.connect(walls.raise_after_migrate, sender=self)
        last_login.listen()
        personal_classes.enter_all()
        retention_classes.enter_all()
        recovery.register("erasures", erasure.replay_tombstones)
        jobs.register(copies.JOB, copies.make, cancelled=copies.cancelled, words=_("Copy of a person's data"))
        jobs.register(erasure.JOB, erasure.work, words=_("Erasure of personal data"))
        jobs.register(
            retention.JOB,
            retention.work,
            retention.expected,
            words=_("Deletion after the time to keep"),
            about=retention.about,
        )
        outbox.register("copy_ready", ledger.copy_mail, title=_("A copy of data is ready"))
        outbox.register(
            "job_parked",
            ledger.parked_mail,
            title=_("A job was given up"),
            is_urgent=True,
            concerns=lambda person: person.is_superuser,
        )
        outbox.register("delegation_given", letters.delegation_given, title=_("A right was handed on"))
        outbox.register("delegation_ended", letters.delegation_ended, title=_("A right handed on has ended"))
        # Letters about the own account are nobody's to choose: they come by mail, whatever else is settled.
        outbox.register("invitation", letters.invitation, title=_("Invitation"), is_urgent=True, concerns=nobody)
        outbox.register(outbox.CHANNEL_TEST, ledger.trial_mail, title=_("Test"), is_urgent=True)
        outbox.register(ending.KIND, ending.letter, title=_("Changes of your account"), is_urgent=True, concerns=nobody)
        gauges.register_own()
        team, agent = "teams.Team", "teams.Agent"
        sight.register("team", _("the team itself"), team, team)
        sight.register("roster", _("roster, status, memberships"), agent, team, agent)
        sight.register("wage", _("wages"), "teams.Compensation", team, agent, "teams.Compensation")
        sight.register("looks", _("who looked at whom"), "teams.AccessRecord", team, agent)
        sight.register("grants", _("who holds which grant"), "teams.TeamUserGrant", team)
