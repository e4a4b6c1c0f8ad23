from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0003_message_list_address'),
    ]

    operations = [
        migrations.AddField(
            model_name='draft',
            name='forwarded',
            field=models.JSONField(blank=True, help_text='Of the forwarded message, by key. Null: all of them.', null=True, verbose_name='forwarded files'),
        ),
    ]
