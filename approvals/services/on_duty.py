"""Who is at work at this moment, by their own status. Whoever keeps no status is not known to be: a policy that asks those on
duty names a fallback for them."""

from approvals.models import Base, StatusSpan


def leads(team: int, holders: set[int]) -> set[int]:
    """Those of `holders` (accounts) who are on duty."""
    return working(holders)


def working(users: set[int]) -> set[int]:
    """Those of `users` whose own agent is in any status but offline."""
    rows = StatusSpan.objects.open().exclude(base=Base.OFFLINE).filter(agent__user__in=users)
    return set(rows.values_list("agent__user", flat=True))
