from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from helpdesk.html import clean_editor
from library.models import Snippet
from people.admin_bases import Audited


@admin.register(Snippet)
class SnippetAdmin(Audited):
    list_display = ["name", "shortcut", "owner", "created_at"]
    list_filter = [("owner", admin.EmptyFieldListFilter)]
    search_fields = ["name", "shortcut", "owner__name"]
    list_select_related = ["owner"]
    autocomplete_fields = ["owner"]
    readonly_fields = ["created_at"]
    fields = ["name", "shortcut", "owner", "html", "created_at"]

    def save_model(self, request: HttpRequest, obj: Snippet, form: ModelForm, change: bool) -> None:
        """What is written by hand is cleaned like what the editor sends."""
        obj.html = str(clean_editor(obj.html))
        super().save_model(request, obj, form, change)
