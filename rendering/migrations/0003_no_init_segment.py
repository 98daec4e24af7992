from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rendering", "0002_live_state_emotions")]

    operations = [migrations.RemoveField(model_name="livestate", name="init_segment")]
