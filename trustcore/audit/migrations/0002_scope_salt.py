from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trustcore_audit", "0001_initial")]

    operations = [
        migrations.RenameModel("SubjectSalt", "ScopeSalt"),
        migrations.RenameField("ScopeSalt", "subject_public_id", "name"),
        migrations.AlterField("ScopeSalt", "name", models.CharField(max_length=120, unique=True)),
        migrations.AlterModelTable("ScopeSalt", "trustcore_audit_scope_salt"),
        migrations.RunSQL(
            "UPDATE trustcore_audit_scope_salt SET name = 'subject:' || name",
            reverse_sql="UPDATE trustcore_audit_scope_salt SET name = split_part(name, ':', 2)",
        ),
    ]
