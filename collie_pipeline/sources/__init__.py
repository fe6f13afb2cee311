"""Where interactions come from: one `Source` protocol, one file a source, one table of names."""

from collections.abc import Callable, Mapping

from collie_core.tables import lookup
from collie_pipeline.settings import Settings
from collie_pipeline.sources.demo import DemoSource
from collie_pipeline.sources.files import FilesSource
from collie_pipeline.sources.movielens import MovieLensSource
from collie_pipeline.sources.protocol import Source
from collie_pipeline.sources.sql import SqlSource

SOURCES: Mapping[str, Callable[[Settings], Source]] = {
    "demo": DemoSource,
    "files": FilesSource,
    "movielens-100k": MovieLensSource,
    "sql": SqlSource,
}


def make_source(settings: Settings) -> Source:
    """Return the source that `settings` names, not yet read."""
    return lookup("source", SOURCES, settings.source)(settings)


__all__ = ["SOURCES", "Source", "make_source"]
