"""Where the files of a multipart body go while a request is read (setting FILE_UPLOAD_HANDLERS)."""

from typing import IO, Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from chatproject.lib.spool import Spool


class SpooledUpload(FileUploadHandler):
    """Keeps a file in a Spool: in constant memory, and never on disk in clear."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.spool = Spool()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.spool.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        return UploadedFile(cast(IO[bytes], self.spool), self.file_name, self.content_type, file_size)

    def upload_interrupted(self) -> None:
        self.spool.close()
