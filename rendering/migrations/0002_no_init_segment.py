from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rendering", "0001_initial")]

    operations = [migrations.RemoveField(model_name="livestate", name="init_segment")]
