"""What decided a contact's day and complexity is kept, so that mapping a name later decides it the same way."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('performance', '0003_night_lighter_agent_days'),
    ]

    operations = [
        migrations.AddField(
            model_name='contact',
            name='has_own_complexity',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='complexity told by the source'),
        ),
        migrations.AddField(
            model_name='contact',
            name='shift_started_at',
            field=models.DateTimeField(null=True, verbose_name='start of the shift'),
        ),
    ]
