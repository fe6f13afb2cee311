"""Pages for people, in HTML."""

import dagster as dg

from collie_core.files import replacing, sha256
from collie_pipeline.storage.io_managers import OnDisk


class PageIO(OnDisk):
    """Pages as HTML files."""

    def handle_output(self, context: dg.OutputContext, obj: str) -> None:
        """Write the page."""
        path = self.path(context.asset_key, context.asset_partition_key, ".html")
        with replacing(path) as temporary:
            temporary.write_text(obj, encoding="utf-8")
        context.add_output_metadata(
            {
                "path": dg.MetadataValue.path(str(path)),
                "bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
        )

    def load_input(self, context: dg.InputContext) -> str:
        """Read the page."""
        return self.paths(context, ".html")[0].read_text(encoding="utf-8")
