from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("training", "0003_lookups_and_growth")]

    operations = [
        migrations.AddField("token", "fingerprint", models.TextField(blank=True, default=""), preserve_default=False),
    ]
