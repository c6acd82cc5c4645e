"""Agent days are written by the ten thousand and rebuilt from their facts: no foreign key checks, no index but our own."""
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('performance', '0002_partitioned_facts'),
        ('teams', '0002_tree_keeps_itself'),
    ]

    operations = [
        migrations.AlterField(
            model_name='agentday',
            name='agent',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='days', to='teams.agent', verbose_name='agent'),
        ),
        migrations.AlterField(
            model_name='agentday',
            name='team',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='agent_days', to='teams.team', verbose_name='team of the day'),
        ),
    ]
