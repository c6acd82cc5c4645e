"""What of pay needs a second person: publishing a plan, releasing a batch, lifting a gate, settling a dispute."""

from incentives.kinds.disputes import LineDispute
from incentives.kinds.overrides import GateLift
from incentives.kinds.publication import PlanPublication
from incentives.kinds.releases import PayoutRelease

ALL = (PlanPublication, PayoutRelease, GateLift, LineDispute)

__all__ = ["ALL", "GateLift", "LineDispute", "PayoutRelease", "PlanPublication"]
