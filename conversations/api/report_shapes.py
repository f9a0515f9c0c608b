"""Shapes of reports and their templates, for validation and for the OpenAPI document."""

from rest_framework import serializers

from chatproject.lib.fields import Flag, Text
from conversations.models import Report, ReportTemplate


class ReportInput(serializers.Serializer):
    template = serializers.SlugField(max_length=64, default="transcript")
    conversations = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1000)
    batch = serializers.UUIDField(required=False, allow_null=True, help_text="Whose rows it shows.")
    format = serializers.ChoiceField(Report.Form.choices, default=Report.Form.WORD)
    assistant = Text(
        required=False, allow_blank=True, help_text="Answers the questions of the template; DEFAULT_ASSISTANT."
    )
    title = Text(required=False, allow_null=True, allow_blank=True)


class ReportShape(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(Report.Status.choices)
    progress = serializers.FloatField(help_text="From 0 to 1.")
    title = serializers.CharField(allow_null=True)
    template = serializers.CharField()
    format = serializers.ChoiceField(Report.Form.choices)
    bytes = serializers.IntegerField()
    error = serializers.DictField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    download_url = serializers.CharField(allow_null=True)


class ReportPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ReportShape(many=True)


class ReportTemplateInput(serializers.Serializer):
    key = serializers.SlugField(max_length=64)
    name = Text(required=False, max_length=100)
    content = Text(required=False, trim_whitespace=False, help_text="Markdown.")
    file = serializers.FileField(required=False, help_text="Markdown or DOCX, instead of `content`.")
    shared = Flag(required=False, help_text="For everybody; for staff.")


class ReportTemplateShape(serializers.Serializer):
    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(ReportTemplate.Kind.choices)
    shared = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ReportTemplatePage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ReportTemplateShape(many=True)
