"""Addresses of the pages."""

from django.urls import path

from conversations import (
    batch_pages,
    closing_page,
    documentation,
    earlier_page,
    erase_page,
    exportviews,
    report_pages,
    searchpage,
    sharedpage,
    template_pages,
    views,
)

ONE = "c/<uuid:id>/"

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("search/", searchpage.SearchPageView.as_view(), name="search"),
    path("list/", views.ListView.as_view(), name="list"),
    path("begin/<slug:slug>/", template_pages.BeginView.as_view(), name="begin"),
    path(ONE, views.ThreadView.as_view(), name="thread"),
    path(f"{ONE}m/", views.MessagesView.as_view(), name="messages"),
    path(f"{ONE}m/<uuid:message>/", views.MessageView.as_view(), name="message"),
    path(f"{ONE}stop/", views.StopView.as_view(), name="stop"),
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
    path("reports/", report_pages.ReportsPage.as_view(), name="reports"),
    path("reports/list/", report_pages.ReportListPage.as_view(), name="reports_list"),
    path("reports/templates/", report_pages.ReportTemplatesPage.as_view(), name="report_templates"),
    path(
        "reports/templates/<slug:slug>/remove/",
        report_pages.ReportTemplateRemovePage.as_view(),
        name="report_template_remove",
    ),
    path("reports/<uuid:id>/", report_pages.ReportPage.as_view(), name="report"),
    path("reports/<uuid:id>/progress/", report_pages.ReportProgressPage.as_view(), name="report_progress"),
    path("reports/<uuid:id>/share/", report_pages.ReportSharePage.as_view(), name="report_share"),
    path("reports/<uuid:id>/share/<uuid:share>/revoke/", report_pages.ReportRevokePage.as_view(), name="report_revoke"),
    path("reports/<uuid:id>/remove/", report_pages.ReportRemovePage.as_view(), name="report_remove"),
    path("s/<str:token>/", sharedpage.SharedPage.as_view(), name="shared"),
    path("documentation/", documentation.contents, name="documentation"),
    path("documentation/<path:page>", documentation.page, name="documentation_page"),
]
