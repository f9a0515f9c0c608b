"""A file sent as a form."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.api import Answer, Api

ROUTE = "conversations/import/"


def upload(api: Api, file: bytes, name: str = "export.jsonl", **headers: str) -> Answer:
    body = encode_multipart(BOUNDARY, {"file": SimpleUploadedFile(name, file)})
    return api.request("POST", ROUTE, body, {"Content_Type": MULTIPART_CONTENT, **headers})
