"""The command that gives the page of a week."""

from pathlib import Path

from collie_core.files import replacing
from collie_pipeline.cli.common import WeekOption, console, explained, serving
from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings


def report(week: WeekOption = None) -> None:
    """Write the page of a week, and print where it is: also of a week that is not published."""
    from collie_pipeline.assets.reporting import KEY
    from collie_pipeline.reports import report as page_of

    with explained():
        project = Project(load_settings())
        key = serving(project).week if week is None else project.week(week).key
        page = page_of(project.root, key, project.source.name, project.settings.evaluation.k)
        path = Path(project.root, KEY, f"{key}.html")
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
        console.print(str(path.resolve()), soft_wrap=True, markup=False, highlight=False)
