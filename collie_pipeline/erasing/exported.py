"""Taking a user out of what was exported: what serves now takes its place, and the rest goes."""

from collie_pipeline.exports import export, targets
from collie_pipeline.project import Project
from collie_pipeline.storage import current


def search_targets(project: Project, user_id: str) -> dict[str, str]:
    """Return each table of a target that has rows of the user, and how many.

    Raises
    ------
    ValueError
        If a target cannot be searched: what it holds of the user cannot be told.
    """
    return {
        f"{target.name} {table}": f"{count} rows"
        for target in targets(project.settings)
        for table, count in target.rows_of(user_id).items()
    }


def export_again(project: Project, user_id: str) -> None:
    """Put what serves now, without the user, in the place of what was exported.

    What earlier exports left for those who were reading it, and has the user, is removed.
    """
    serving = current(project.root)
    if serving is not None and targets(project.settings):
        export(serving, project.settings)
    for target in targets(project.settings):
        target.forget(user_id)
