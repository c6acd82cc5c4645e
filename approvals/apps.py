from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "approvals"
    verbose_name = _("Approvals")

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from approvals import standard_reasons
        from approvals.ready import enter_all

        enter_all()
        post_migrate.connect(standard_reasons.make_first, sender=self)
