import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name='RoomMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sender', models.CharField(blank=True, max_length=320, verbose_name='envelope sender')),
                ('recipients', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=320), default=list, size=None, verbose_name='envelope recipients')),
                ('people', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=320), default=list, size=None, verbose_name='who has it')),
                ('from_name', models.CharField(blank=True, max_length=300, verbose_name='from name')),
                ('from_address', models.CharField(blank=True, max_length=320, verbose_name='from address')),
                ('subject', models.TextField(blank=True, verbose_name='subject')),
                ('message_id', models.TextField(blank=True, verbose_name='Message-ID')),
                ('message_id_hash', models.CharField(blank=True, editable=False, max_length=64)),
                ('raw', models.FileField(max_length=500, upload_to='room/%Y/%m/%d', verbose_name='raw mail')),
                ('size', models.PositiveBigIntegerField(verbose_name='size in bytes')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('first', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inbox.roommail', verbose_name='first of its thread')),
            ],
            options={
                'verbose_name': 'mail in the mail room',
                'verbose_name_plural': 'mails in the mail room',
                'ordering': ['pk'],
            },
        ),
        migrations.AddIndex(
            model_name='roommail',
            index=django.contrib.postgres.indexes.GinIndex(models.F('people'), name='room_mail_people'),
        ),
        migrations.AddIndex(
            model_name='roommail',
            index=models.Index(models.F('message_id_hash'), condition=models.Q(('message_id_hash', ''), _negated=True), name='room_mail_by_id'),
        ),
    ]
