from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("library", "0001_snippets"),
    ]

    operations = [
        migrations.AlterField(
            model_name="snippet",
            name="shortcut",
            field=models.SlugField(
                allow_unicode=True,
                blank=True,
                help_text="Type ; and this word in the editor. Letters, numbers and hyphens.",
                max_length=40,
                verbose_name="shortcut",
            ),
        ),
        migrations.AlterField(
            model_name="snippet",
            name="html",
            field=models.TextField(max_length=50000, verbose_name="text"),
        ),
    ]
