"""A million keys of one delivery are not asked one by one whether their source exists: the delivery holds its lock."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('performance', '0004_intake_keep_what_decided'),
    ]

    operations = [
        migrations.AlterField(
            model_name='contactkey',
            name='source',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='performance.source'),
        ),
    ]
