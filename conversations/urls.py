"""Addresses of the pages."""

from django.urls import path

from conversations import (
    answer_page,
    batch_pages,
    closing_page,
    documentation,
    earlier_page,
    erase_page,
    exportviews,
    handoff_page,
    queue_page,
    searchpage,
    sharedpage,
    template_pages,
    threadpage,
    views,
)

ONE = "c/<uuid:id>/"

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("search/", searchpage.SearchPageView.as_view(), name="search"),
    path("list/", views.ListView.as_view(), name="list"),
    path("begin/<slug:slug>/", template_pages.BeginView.as_view(), name="begin"),
    path(ONE, threadpage.ThreadView.as_view(), name="thread"),
    path(f"{ONE}m/", views.MessagesView.as_view(), name="messages"),
    path(f"{ONE}m/<uuid:message>/", views.MessageView.as_view(), name="message"),
    path(f"{ONE}stop/", views.StopView.as_view(), name="stop"),
    path(f"{ONE}answer/", answer_page.AnswerView.as_view(), name="answer"),
    path(f"{ONE}standing/", handoff_page.StandingView.as_view(), name="standing"),
    path(f"{ONE}handoff/", handoff_page.HandoffView.as_view(), name="handoff"),
    path(f"{ONE}claim/", handoff_page.ClaimView.as_view(), name="claim"),
    path(f"{ONE}release/", handoff_page.ReleaseView.as_view(), name="release"),
    path(f"{ONE}queue/", queue_page.QueueView.as_view(), name="queue"),
    path(f"{ONE}title/", views.TitleView.as_view(), name="title"),
    path(f"{ONE}status/", views.StatusView.as_view(), name="status"),
    path(f"{ONE}erase/", erase_page.EraseView.as_view(), name="erase"),
    path(f"{ONE}earlier/", earlier_page.EarlierView.as_view(), name="earlier"),
    path(f"{ONE}read/", views.ReadView.as_view(), name="read"),
    path("account/close/", closing_page.CloseView.as_view(), name="close_account"),
    path("exports/", exportviews.ExportsView.as_view(), name="exports"),
    path("exports/list/", exportviews.ExportListView.as_view(), name="exports_list"),
    path("exports/start/", exportviews.ExportStartView.as_view(), name="exports_start"),
    path("exports/<uuid:id>/remove/", exportviews.ExportRemoveView.as_view(), name="exports_remove"),
    path("batches/", batch_pages.BatchesPage.as_view(), name="batches"),
    path("batches/list/", batch_pages.BatchListPage.as_view(), name="batches_list"),
    path("batches/<uuid:id>/", batch_pages.BatchPage.as_view(), name="batch"),
    path("batches/<uuid:id>/progress/", batch_pages.BatchProgressPage.as_view(), name="batch_progress"),
    path("batches/<uuid:id>/stop/", batch_pages.BatchStopPage.as_view(), name="batch_stop"),
    path("batches/<uuid:id>/resume/", batch_pages.BatchResumePage.as_view(), name="batch_resume"),
    path("batches/<uuid:id>/remove/", batch_pages.BatchRemovePage.as_view(), name="batch_remove"),
    path("s/<str:token>/", sharedpage.SharedPage.as_view(), name="shared"),
    path("documentation/", documentation.contents, name="documentation"),
    path("documentation/<path:page>", documentation.page, name="documentation_page"),
]
