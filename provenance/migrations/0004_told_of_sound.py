from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('provenance', '0003_signed_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='toldanswer',
            name='is_sound',
            field=models.BooleanField(default=False),
        ),
    ]
