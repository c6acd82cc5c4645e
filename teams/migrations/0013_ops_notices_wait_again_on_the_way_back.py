"""The release before knows notices that wait, and none on its way: going back, those wait again and are not lost.

A mail that was confirmed stays sent. One that was only begun may come a second time, with the same message id.
"""

from django.db import migrations

BACK = """
UPDATE teams_notice notice SET state = CASE
    WHEN EXISTS (
        SELECT FROM teams_noticedelivery delivery WHERE delivery.notice_id = notice.id AND delivery.state = 'sent'
    ) THEN 'sent' ELSE 'waiting' END
WHERE state = 'under_way'
"""


class Migration(migrations.Migration):
    dependencies = [('teams', '0012_ops_channels_of_notices')]

    operations = [migrations.RunSQL(migrations.RunSQL.noop, BACK)]
