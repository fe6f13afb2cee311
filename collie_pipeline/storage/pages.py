"""Pages for people, in HTML."""

import dagster as dg

from collie_pipeline.storage.checksums import recording
from collie_pipeline.storage.io_managers import OnDisk, about


class PageIO(OnDisk):
    """Pages as HTML files."""

    def handle_output(self, context: dg.OutputContext, obj: str) -> None:
        """Write the page."""
        path = self.path(context.asset_key, context.asset_partition_key, ".html")
        with recording(path) as temporary:
            temporary.write_text(obj, encoding="utf-8")
        context.add_output_metadata(about(path))

    def load_input(self, context: dg.InputContext) -> str:
        """Read the page."""
        return self.sound(context, ".html").read_text(encoding="utf-8")
