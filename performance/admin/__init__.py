"""Admin doors of performance, one module per subject."""

from performance.admin import contacts, figures, intake, people_data, reports

__all__ = ["contacts", "figures", "intake", "people_data", "reports"]
