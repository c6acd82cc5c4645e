"""Pieces of replies are many and unlike in number: with few of them counted the planner takes a rare one for common."""

from django.db import migrations

FORTH = """
ALTER TABLE approvals_replysearch ALTER COLUMN names SET STATISTICS 1000, ALTER COLUMN body SET STATISTICS 1000;
"""
BACK = """
ALTER TABLE approvals_replysearch ALTER COLUMN names SET STATISTICS -1, ALTER COLUMN body SET STATISTICS -1;
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0005_canned_replies")]

    operations = [migrations.RunSQL(FORTH, BACK)]
