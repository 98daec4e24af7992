"""What viewers' pages measured, what was promised, and the signed reports on both."""

import django.db.models.deletion
import django.utils.timezone
from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models

from trustcore.audit.guards import GuardTable


class Migration(migrations.Migration):

    dependencies = [
        ('rendering', '0003_no_init_segment'),
        ('trustcore_accounts', '0002_passkeys_guarded'),
    ]

    operations = [
        migrations.CreateModel(
            name='ServiceTargets',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=40, unique=True)),
                ('limits', models.JSONField()),
                ('networks', models.JSONField()),
                ('organisation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trustcore_accounts.organisation')),
            ],
            options={
                'db_table': 'rendering_service_targets',
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Visit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('visit', models.CharField(max_length=16)),
                ('number', models.PositiveIntegerField()),
                ('is_last', models.BooleanField(default=False)),
                ('region', models.CharField(blank=True, max_length=40)),
                ('network', models.CharField(max_length=12)),
                ('path', models.CharField(max_length=12)),
                ('transport', models.CharField(max_length=12)),
                ('connections', models.PositiveIntegerField()),
                ('connect_ms', models.PositiveIntegerField(null=True)),
                ('ttff_ms', models.PositiveIntegerField(null=True)),
                ('rtt_ms', models.PositiveIntegerField(null=True)),
                ('watched_ms', models.BigIntegerField()),
                ('frozen_ms', models.BigIntegerField()),
                ('frames', models.BigIntegerField()),
                ('samples', models.BigIntegerField()),
                ('concealed', models.BigIntegerField()),
                ('packets', models.BigIntegerField()),
                ('lost', models.BigIntegerField()),
                ('received', models.BigIntegerField()),
                ('verified', models.BigIntegerField()),
                ('sound_received', models.BigIntegerField()),
                ('sound_verified', models.BigIntegerField()),
                ('cut_offs', models.BigIntegerField()),
                ('rung_ms', models.JSONField(default=dict)),
                ('began_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='rendering.conversation')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trustcore_accounts.organisation')),
            ],
            options={
                'db_table': 'rendering_visit',
            },
        ),
        migrations.CreateModel(
            name='AnswerTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('kind', models.CharField(max_length=8)),
                ('ms', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trustcore_accounts.organisation')),
                ('visit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='rendering.visit')),
            ],
            options={
                'db_table': 'rendering_answer_time',
            },
        ),
        migrations.CreateModel(
            name='LatencyReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=40, unique=True)),
                ('from_at', models.DateTimeField()),
                ('until_at', models.DateTimeField()),
                ('content', models.TextField()),
                ('report_sha256', models.CharField(max_length=64)),
                ('page_sha256', models.CharField(max_length=64)),
                ('export_id', models.CharField(max_length=40)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trustcore_accounts.organisation')),
            ],
            options={
                'db_table': 'rendering_latency_report',
                'abstract': False,
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['organisation', '-created_at'], name='rendering_report_newest')],
            },
        ),
        migrations.AddIndex(
            model_name='visit',
            index=models.Index(fields=['organisation', 'began_at'], name='rendering_visit_period'),
        ),
        migrations.AddIndex(
            model_name='visit',
            index=BrinIndex(fields=['began_at'], name='rendering_visit_age'),
        ),
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.UniqueConstraint(fields=('conversation', 'visit'), name='rendering_visit_once'),
        ),
        migrations.AddIndex(
            model_name='answertime',
            index=models.Index(fields=['organisation', 'at'], name='rendering_answer_period'),
        ),
        migrations.AddConstraint(
            model_name='answertime',
            constraint=models.UniqueConstraint(fields=('visit', 'number'), name='rendering_answer_once'),
        ),
        GuardTable("rendering_service_targets", "service_targets"),
        GuardTable("rendering_latency_report", "latency_report"),
    ]
