from django.urls import path

from library.views.snippets import snippet, snippet_deletion, snippet_list, snippet_new

app_name = "library"

urlpatterns = [
    path("settings/snippets/", snippet_list, name="snippets"),
    path("settings/snippets/new/", snippet_new, name="snippet_new"),
    path("settings/snippets/<int:pk>/", snippet, name="snippet"),
    path("settings/snippets/<int:pk>/deletion/", snippet_deletion, name="snippet_deletion"),
]
