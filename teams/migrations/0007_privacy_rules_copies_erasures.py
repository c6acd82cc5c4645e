"""Rules for people's data, copies handed out, erasures with their tombstones."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('teams', '0006_entry_tokens_end_with_the_password'),
    ]

    operations = [
        migrations.CreateModel(
            name='HistoricalErasure',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('customer_key', models.CharField(blank=True, max_length=32, verbose_name='customer')),
                ('state', models.CharField(choices=[('asked', 'waits for a second person'), ('confirmed', 'confirmed, being done'), ('done', 'erased'), ('withdrawn', 'withdrawn')], default='asked', max_length=10, verbose_name='state')),
                ('reason', models.CharField(max_length=100, verbose_name='reason')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='asked for at')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='settled at')),
                ('done_at', models.DateTimeField(null=True, verbose_name='erased at')),
                ('counts', models.JSONField(default=dict, verbose_name='what went')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('agent', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='teams.agent', verbose_name='agent')),
                ('asked_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('settled_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='settled by')),
            ],
            options={
                'verbose_name': 'earlier version of erasure',
                'verbose_name_plural': 'historical erasures',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalPrivacyRules',
            fields=[
                ('id', models.PositiveSmallIntegerField(db_index=True, default=1, editable=False)),
                ('networks', models.TextField(blank=True, verbose_name='allowed networks')),
                ('kept', models.JSONField(blank=True, default=dict, verbose_name='kept for')),
                ('reveals_a_day', models.PositiveSmallIntegerField(default=20, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='telephones shown to one person in 24 hours')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'earlier version of rules',
                'verbose_name_plural': "historical rules for people's data",
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='PrivacyRules',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('networks', models.TextField(blank=True, verbose_name='allowed networks')),
                ('kept', models.JSONField(blank=True, default=dict, verbose_name='kept for')),
                ('reveals_a_day', models.PositiveSmallIntegerField(default=20, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='telephones shown to one person in 24 hours')),
            ],
            options={
                'verbose_name': "rules for people's data",
                'verbose_name_plural': "rules for people's data",
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_row_of_privacy_rules')],
            },
        ),
        migrations.CreateModel(
            name='Tombstone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('agent', 'agent'), ('customer', 'customer')], max_length=10)),
                ('digest', models.CharField(max_length=32)),
                ('pseudonym', models.CharField(max_length=16)),
                ('erased_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'tombstone',
                'verbose_name_plural': 'tombstones',
                'ordering': ['erased_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'digest', 'erased_at'), name='one_tombstone_per_erasure')],
            },
        ),
        migrations.CreateModel(
            name='DataCopy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='asked for at')),
                ('reason', models.CharField(blank=True, max_length=100, verbose_name='reason')),
                ('state', models.CharField(choices=[('waiting', 'being made'), ('ready', 'ready'), ('gone', 'deleted')], default='waiting', max_length=10, verbose_name='state')),
                ('file', models.FileField(blank=True, upload_to='people', verbose_name='file')),
                ('until', models.DateTimeField(null=True, verbose_name='can be had until')),
                ('downloads', models.PositiveIntegerField(default=0, verbose_name='downloads')),
                ('last_download_at', models.DateTimeField(null=True, verbose_name='last download')),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='data_copies', to='teams.agent', verbose_name='agent')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='account')),
            ],
            options={
                'verbose_name': "copy of a person's data",
                'verbose_name_plural': "copies of persons' data",
                'ordering': ['-asked_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('agent', None), _negated=True), models.Q(('user', None), _negated=True), _connector='OR'), name='copy_is_about_somebody')],
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_key', models.CharField(blank=True, max_length=32, verbose_name='customer')),
                ('state', models.CharField(choices=[('asked', 'waits for a second person'), ('confirmed', 'confirmed, being done'), ('done', 'erased'), ('withdrawn', 'withdrawn')], default='asked', max_length=10, verbose_name='state')),
                ('reason', models.CharField(max_length=100, verbose_name='reason')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='asked for at')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='settled at')),
                ('done_at', models.DateTimeField(null=True, verbose_name='erased at')),
                ('counts', models.JSONField(default=dict, verbose_name='what went')),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='erasures', to='teams.agent', verbose_name='agent')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                ('settled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='settled by')),
            ],
            options={
                'verbose_name': 'erasure',
                'verbose_name_plural': 'erasures',
                'ordering': ['-asked_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('agent', None), models.Q(('customer_key', ''), _negated=True)), models.Q(models.Q(('agent', None), _negated=True), ('customer_key', '')), _connector='OR'), name='erasure_is_of_one'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['confirmed', 'done']), _negated=True), models.Q(('settled_by', models.F('asked_by')), _negated=True), _connector='OR'), name='erasure_takes_two'), models.UniqueConstraint(condition=models.Q(('state__in', ['asked', 'confirmed'])), fields=('agent',), name='one_open_erasure_per_agent')],
            },
        ),
    ]
