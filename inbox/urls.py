from django.urls import path

from inbox.views import attachments, drafts, messages, recipients, replies, uploads, workspace
from inbox.views.associations import ticket_companies, ticket_contacts
from inbox.views.comments import comment, comment_deletion, comment_restoration, comment_versions, comments
from inbox.views.conversations import conversation, conversation_ticket, conversations
from inbox.views.creation import ticket_new
from inbox.views.inserting import placeholder_values, snippets
from inbox.views.mail_room import mail_room, mail_room_attachment, mail_room_body
from inbox.views.mailboxes import mailbox, mailbox_fetch, mailbox_new, mailbox_test, mailboxes
from inbox.views.mentions import mentions
from inbox.views.outgoing import (
    message_release,
    outgoing_departure,
    outgoing_draft,
    outgoing_retry,
    outgoing_stop,
    outgoing_undo,
)
from inbox.views.palette import palette
from inbox.views.presence import presence
from inbox.views.rows import ticket_rows
from inbox.views.trusted_senders import sender_removal

app_name = "inbox"

urlpatterns = [
    path("", workspace.workspace, name="workspace"),
    path("tickets/", workspace.ticket_list, name="ticket_list"),
    path("tickets/new/", ticket_new, name="ticket_new"),
    path("tickets/<int:number>/", workspace.ticket, name="ticket"),
    path("tickets/<int:number>/contacts/", ticket_contacts, name="ticket_contacts"),
    path("tickets/<int:number>/companies/", ticket_companies, name="ticket_companies"),
    path("tickets/<int:number>/thread/", workspace.thread, name="thread"),
    path("tickets/<int:number>/replies/", replies.replies, name="replies"),
    path("tickets/<int:number>/head/", recipients.composer_head, name="composer_head"),
    path("tickets/<int:number>/history/", recipients.history, name="history"),
    path("tickets/<int:number>/contact-address/", recipients.contact_address, name="contact_address"),
    path("recipients/", recipients.recipients, name="recipients"),
    path("tickets/<int:number>/comments/", comments, name="comments"),
    path("tickets/<int:number>/drafts/<str:mode>/", drafts.ticket_draft, name="ticket_draft"),
    path("drafts/", drafts.drafts, name="drafts"),
    path("drafts/<int:pk>/removal/", drafts.draft_removal, name="draft_removal"),
    path("drafts/<int:pk>/restoration/", drafts.draft_restoration, name="draft_restoration"),
    path("messages/<int:pk>/comment/", comment, name="comment"),
    path("messages/<int:pk>/comment/versions/", comment_versions, name="comment_versions"),
    path("messages/<int:pk>/comment/deletion/", comment_deletion, name="comment_deletion"),
    path("messages/<int:pk>/comment/restoration/", comment_restoration, name="comment_restoration"),
    path("mentions/", mentions, name="mentions"),
    path("tickets/<int:number>/presence/", presence, name="presence"),
    path("tickets/rows/", ticket_rows, name="ticket_rows"),
    path("messages/<int:pk>/body/", messages.message_body, name="message_body"),
    path("messages/<int:pk>/original/", messages.message_original, name="message_original"),
    path("messages/<int:pk>/source/", messages.message_source, name="message_source"),
    path("messages/<int:pk>/files/", attachments.message_files, name="message_files"),
    path("senders/<int:pk>/removal/", sender_removal, name="sender_removal"),
    path("senders/trust/", messages.sender_trust, name="sender_trust"),
    path("attachments/<int:pk>/", attachments.attachment, name="attachment"),
    path("attachments/<int:pk>/preview/", attachments.attachment_preview, name="attachment_preview"),
    path("snippets/", snippets, name="snippets"),
    path("placeholders/", placeholder_values, name="placeholders"),
    path("uploads/", uploads.uploads, name="uploads"),
    path("uploads/<uuid:key>/", uploads.upload, name="upload"),
    path("messages/<int:pk>/release/", message_release, name="message_release"),
    path("outgoing/<int:pk>/retry/", outgoing_retry, name="outgoing_retry"),
    path("outgoing/<int:pk>/undo/", outgoing_undo, name="outgoing_undo"),
    path("outgoing/<int:pk>/stop/", outgoing_stop, name="outgoing_stop"),
    path("outgoing/<int:pk>/departure/", outgoing_departure, name="outgoing_departure"),
    path("outgoing/<int:pk>/draft/", outgoing_draft, name="outgoing_draft"),
    path("palette/", palette, name="palette"),
    path("mail-room/", mail_room, name="mail_room"),
    path("mail-room/<int:pk>/body/", mail_room_body, name="mail_room_body"),
    path("mail-room/<int:pk>/attachments/<int:place>/", mail_room_attachment, name="mail_room_attachment"),
    path("settings/mailboxes/", mailboxes, name="mailboxes"),
    path("settings/mailboxes/new/", mailbox_new, name="mailbox_new"),
    path("settings/mailboxes/<int:pk>/", mailbox, name="mailbox"),
    path("settings/mailboxes/<int:pk>/test/", mailbox_test, name="mailbox_test"),
    path("settings/mailboxes/<int:pk>/fetch/", mailbox_fetch, name="mailbox_fetch"),
    path("conversations/", conversations, name="conversations"),
    path("conversations/<int:pk>/", conversation, name="conversation"),
    path("conversations/<int:pk>/ticket/", conversation_ticket, name="conversation_ticket"),
]
