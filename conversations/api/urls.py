from django.urls import path

from conversations.api import (
    bulk,
    conversations,
    events,
    exports,
    files,
    messages,
    revisions,
    runs,
    search,
    sessions,
    snapshots,
    templates,
)

ONE = "conversations/<uuid:id>/"
MESSAGE = f"{ONE}messages/<uuid:message>/"

urlpatterns = [
    path("conversations/", conversations.ConversationsView.as_view()),
    path("conversations/import/", exports.ImportView.as_view()),
    path(ONE, conversations.ConversationView.as_view()),
    path(f"{ONE}members/", conversations.MembersView.as_view()),
    path(f"{ONE}members/<uuid:user>/", conversations.MemberView.as_view()),
    path(f"{ONE}messages/", messages.MessagesView.as_view()),
    path(MESSAGE, revisions.MessageView.as_view()),
    path(f"{MESSAGE}versions/", revisions.VersionsView.as_view()),
    path(f"{MESSAGE}pin/", revisions.PinView.as_view()),
    path(f"{MESSAGE}select/", revisions.SelectView.as_view()),
    path(f"{MESSAGE}regenerate/", revisions.RegenerateView.as_view()),
    path(f"{MESSAGE}feedback/", revisions.FeedbackView.as_view()),
    path(f"{ONE}events/", events.EventsView.as_view()),
    path(f"{ONE}snapshots/", snapshots.SnapshotsView.as_view()),
    path(f"{ONE}snapshots/<int:seq>/", snapshots.SnapshotView.as_view()),
    path(f"{ONE}snapshots/<int:seq>/restore/", snapshots.RestoreView.as_view()),
    path(f"{ONE}export/", exports.ExportView.as_view()),
    path("files/", files.FilesView.as_view()),
    path("files/<uuid:id>/", files.FileView.as_view()),
    path("exports/", bulk.BulkExportsView.as_view()),
    path("exports/<uuid:id>/", bulk.BulkExportView.as_view()),
    path("exports/<uuid:id>/download/", bulk.BulkDownloadView.as_view()),
    path("runs/<uuid:id>/", runs.RunView.as_view()),
    path("runs/<uuid:id>/stop/", runs.StopView.as_view()),
    path("sessions/", sessions.SessionsView.as_view()),
    path("sessions/<uuid:id>/", sessions.SessionView.as_view()),
    path("sessions/<uuid:id>/messages/", sessions.SessionMessagesView.as_view()),
    path("search/", search.SearchView.as_view()),
    path("templates/", templates.TemplatesView.as_view()),
    path("templates/<str:key>/", templates.TemplateView.as_view()),
    path("assistants/", runs.AssistantsView.as_view()),
]
