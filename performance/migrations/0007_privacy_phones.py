"""Telephone numbers, sealed, in a table of their own, and the record of looks at them; whether a source keeps any."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('performance', '0006_wall_closed_partitions'),
        ('teams', '0007_privacy_rules_copies_erasures'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactSecret',
            fields=[
                ('contact_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('sealed', models.CharField(max_length=300)),
                ('kept_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='PhoneReveal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('contact_id', models.BigIntegerField(verbose_name='contact')),
                ('external_id', models.CharField(max_length=120, verbose_name='id at source')),
                ('reason', models.CharField(choices=[('call_back', 'to call the customer back'), ('complaint', 'to settle a complaint'), ('fraud', 'to look into abuse'), ('request', 'the customer asked what is kept'), ('authority', 'an authority asks by law')], max_length=10, verbose_name='reason')),
                ('note', models.CharField(max_length=200, verbose_name='in words')),
                ('address', models.GenericIPAddressField(null=True, verbose_name='from address')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='at')),
            ],
            options={
                'verbose_name': 'look at a telephone number',
                'verbose_name_plural': 'looks at telephone numbers',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.AddField(
            model_name='historicalsource',
            name='keeps_phones',
            field=models.BooleanField(db_default=False, default=False, help_text='Off: only masks are kept. On: numbers are kept sealed for some days, and each look at one is recorded. Switch it on only where agents must call back from here.', verbose_name='keeps telephone numbers'),
        ),
        migrations.AddField(
            model_name='historicalsource',
            name='phones_reason',
            field=models.CharField(blank=True, db_default='', max_length=300, verbose_name='why numbers are kept'),
        ),
        migrations.AddField(
            model_name='source',
            name='keeps_phones',
            field=models.BooleanField(db_default=False, default=False, help_text='Off: only masks are kept. On: numbers are kept sealed for some days, and each look at one is recorded. Switch it on only where agents must call back from here.', verbose_name='keeps telephone numbers'),
        ),
        migrations.AddField(
            model_name='source',
            name='phones_reason',
            field=models.CharField(blank=True, db_default='', max_length=300, verbose_name='why numbers are kept'),
        ),
        migrations.AddConstraint(
            model_name='source',
            constraint=models.CheckConstraint(condition=models.Q(('keeps_phones', False), models.Q(('phones_reason', ''), _negated=True), _connector='OR'), name='kept_phones_have_a_reason'),
        ),
        migrations.AddField(
            model_name='contactsecret',
            name='source',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='performance.source'),
        ),
        migrations.AddField(
            model_name='phonereveal',
            name='agent',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.agent', verbose_name='agent'),
        ),
        migrations.AddField(
            model_name='phonereveal',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.team', verbose_name='team'),
        ),
        migrations.AddField(
            model_name='phonereveal',
            name='viewer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='viewer'),
        ),
        migrations.AddIndex(
            model_name='phonereveal',
            index=models.Index(fields=['viewer', 'at'], name='reveal_by_viewer'),
        ),
    ]
