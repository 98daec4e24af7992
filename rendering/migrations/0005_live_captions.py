from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rendering", "0004_measured")]

    operations = [
        migrations.AddField("livestate", "captions", models.JSONField(default=list)),
        migrations.AddField("livestate", "viewer_reads_at", models.DateTimeField(null=True)),
        migrations.AddField("livestate", "app_reads_at", models.DateTimeField(null=True)),
    ]
