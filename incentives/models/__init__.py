from incentives.models.money import Batch, BatchDownload, BatchItem, Entry, Run, Simulation
from incentives.models.plans import Acknowledgement, Plan, PlanVersion
from incentives.models.work import Attainment, Correction, DayRecord, GateOverride, KeptFacts

__all__ = [
    "Acknowledgement", "Attainment", "Batch", "BatchDownload", "BatchItem", "Correction", "DayRecord", "Entry",
    "GateOverride", "KeptFacts", "Plan", "PlanVersion", "Run", "Simulation",
]  # fmt: skip
