import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from trustcore.audit.guards import GuardTable


class Migration(migrations.Migration):

    dependencies = [
        ('provenance', '0002_checks'),
    ]

    operations = [
        migrations.CreateModel(
            name='SignedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=120, unique=True)),
                ('kind', models.CharField(choices=[('recording', 'Recording'), ('still', 'Still')], max_length=16)),
                ('claim_sha256', models.CharField(max_length=64)),
                ('mark_values', models.JSONField()),
                ('store', models.BinaryField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('manifest', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signed_files', to='provenance.sessionmanifest')),
            ],
            options={
                'db_table': 'provenance_signed_file',
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        GuardTable("provenance_signed_file", "signed_file"),
    ]
