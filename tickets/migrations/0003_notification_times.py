from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("tickets", "0002_properties_following_notifications"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="notification",
            name="notification_unread",
        ),
        migrations.AddField(
            model_name="notification",
            name="times",
            field=models.PositiveSmallIntegerField(
                default=1,
                help_text="So many messages that nobody looked at yet; it tells of the newest.",
                verbose_name="times",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="withdrawn",
            field=models.BooleanField(
                default=False,
                help_text="What it tells of was deleted; it comes back when that is restored.",
                verbose_name="withdrawn",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                models.F("user"),
                models.F("ticket"),
                condition=models.Q(("read_at", None)),
                name="notification_unread",
            ),
        ),
    ]
