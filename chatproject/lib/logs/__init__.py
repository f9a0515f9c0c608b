"""How this product logs (docs/logs.md): JSON in the Elastic Common Schema, or lines for people; never a secret."""

from chatproject.lib.logs.setup import configuration

__all__ = ["configuration"]
