"""What people arrange for their own lists: columns and saved filters."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('teams', '0009_faults_backups'),
    ]

    operations = [
        migrations.CreateModel(
            name='ColumnSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('listed', models.CharField(max_length=80, verbose_name='list')),
                ('name', models.CharField(blank=True, max_length=60, verbose_name='name')),
                ('columns', models.JSONField(default=list, verbose_name='columns')),
                ('is_used', models.BooleanField(default=False, verbose_name='in use')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='column_sets', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'set of columns',
                'verbose_name_plural': 'sets of columns',
                'ordering': ['name', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('user', 'listed', 'name'), name='one_column_set_per_list_and_name'), models.UniqueConstraint(condition=models.Q(('is_used', True)), fields=('user', 'listed'), name='one_column_set_in_use')],
            },
        ),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('listed', models.CharField(max_length=80, verbose_name='list')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('query', models.JSONField(default=dict, verbose_name='narrowing')),
                ('is_default', models.BooleanField(default=False, verbose_name='opens with the list')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_filters', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'saved filter',
                'verbose_name_plural': 'saved filters',
                'ordering': ['name', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('user', 'listed', 'name'), name='one_saved_filter_per_list_and_name'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('user', 'listed'), name='one_default_filter_per_list')],
            },
        ),
    ]
