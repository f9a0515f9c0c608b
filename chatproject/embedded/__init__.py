"""PostgreSQL, Redis, web and worker processes of one machine: what `manage.py serve` starts.

Settings need only this module. It says where things are and reads secrets; it starts and writes nothing,
so that every `manage.py` command may import it, also in a second terminal while `serve` runs.
"""

from pathlib import Path
from urllib.parse import quote

from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import DATABASE, Layout

__all__ = ["default_data_dir", "read_secret", "urls"]


def default_data_dir(base_dir: Path) -> Path:
    """Return the DATA_DIR of a project folder where none is set."""
    return base_dir / "var"


def urls(data_dir: Path) -> tuple[str, str]:
    """Return the addresses of the embedded PostgreSQL and Redis of `data_dir`, running or not."""
    sockets = str(Layout(data_dir).sockets)
    database, redis = read_secret(data_dir, "postgres_password"), read_secret(data_dir, "redis_password")
    return (
        f"postgresql://{DATABASE}:{database}@{quote(sockets, safe='')}/{DATABASE}",
        f"unix://:{redis}@{quote(sockets)}/redis.sock?db=0",
    )


def read_secret(data_dir: Path, name: str) -> str:
    """Return the text of one generated secret, or nothing before the first start.

    Raises StartError where another user's DATA_DIR is asked for.
    """
    path = Layout(data_dir).secrets / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
    except PermissionError as error:
        raise StartError(
            f"{path} belongs to another user: run as that user, or set DATA_DIR to another folder."
        ) from error
