"""When periodic work comes again, and whether somebody is at it."""

from django.db import models
from django.db.models.functions import Now


class PeriodicJob(models.Model):
    """One row per name of `periodic.JOBS`; both times by the database's clock. `running_until` is a lease, `cursor`
    how far a job came that goes on where it was."""

    name = models.CharField(max_length=128, primary_key=True)
    due_at = models.DateTimeField(db_default=Now())
    running_until = models.DateTimeField(null=True)
    cursor = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return self.name
