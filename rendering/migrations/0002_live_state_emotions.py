"""What the face of a running session turned to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("rendering", "0001_initial"),)

    operations = (
        migrations.AddField(model_name="livestate", name="emotions", field=models.JSONField(default=list)),
    )
