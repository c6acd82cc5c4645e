"""Rows of the night are rebuilt from their facts: no look at each queue, no index but our own, ids by the thousand."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('performance', '0009_rollup_read_by_zone_and_queue'),
        ('teams', '0016_undo_offers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='queuehalfhour',
            name='queue',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='half_hours', to='performance.queue', verbose_name='queue'),
        ),
        migrations.AlterField(
            model_name='teamday',
            name='team',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='days', to='teams.team', verbose_name='team'),
        ),
        migrations.RunSQL(
            "ALTER TABLE performance_agentday ALTER COLUMN id SET CACHE 1000",
            "ALTER TABLE performance_agentday ALTER COLUMN id SET CACHE 1",
        ),
    ]
