"""Chainable reads of the blacklist."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.utils import timezone

from approvals.digests import digests
from approvals.plain.normal import Normal
from teams.scoping import Grant, TeamScopedQuerySet

LIVE = ("held", "active")
SOON = timedelta(days=3)


class BlockEntryQuerySet(TeamScopedQuerySet):
    """Entries are read by those who lead or observe the team, and by whoever asked for them; written by approved requests."""

    owner_path = "requested_by"

    def live(self, at: datetime | None = None) -> Self:
        """Entries that match at this moment: the time is asked, whether the sweep has come by or not."""
        return self.filter(state__in=LIVE, span__contains=at or timezone.now())

    def lapsed(self, now: datetime) -> Self:
        """Entries whose time is over and whose state does not say so yet."""
        return self.filter(state__in=LIVE, span__endswith__lte=now)

    def expiring_soon(self, now: datetime) -> Self:
        return self.live(now).filter(span__endswith__lte=now + SOON)

    def to_review(self, now: datetime) -> Self:
        return self.live(now).filter(review_on__lte=now.date())

    def called(self, subject: Normal) -> Self:
        """Entries about exactly this subject, under any key that is known."""
        return self.filter(subject_kind=subject.kind, digest__in=digests(subject))


class BlockHitQuerySet(TeamScopedQuerySet):
    """A hit is seen with the team of its entry, and written by `check` alone."""

    team_path = "entry__team"
    write_grants: ClassVar[tuple[Grant, ...]] = ()
