"""Titles, ids and names of columns are shown as text: in HTML, Markdown and a terminal."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from source_code import REPOSITORY, sources

from collie_core.files import sha256
from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel
from collie_core.movielens import get_recommendation_visualizations
from collie_core.utils import df_to_html
from collie_pipeline.charts import bars
from collie_pipeline.reports import report
from collie_pipeline.showing import Catalogue, similar_table, user_table
from collie_pipeline.storage import Publication, recording
from collie_pipeline.storage.markdown import markdown
from collie_pipeline.text import harmless, one_line

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    " JaVa\tScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    'https://x/" onerror="alert(1)',
    "&lt;script&gt;",
)


KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "div", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td", "strong", "b", "i"),
    *("svg", "g", "line", "circle", "text"),
}


class Seen(HTMLParser):
    """Collects what a browser would run or load, and the text it would show."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.bad: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in KNOWN:
            self.bad.append(tag)
        for name, value in attributes:
            address = re.sub(r"[\x00-\x20]", "", value or "").lower()
            leads = name in ("href", "src") and ":" in address.split("/")[0]
            if name.startswith("on") or (leads and not address.startswith(("http", "data:image/"))):
                self.bad.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        self.text += data


def table_page() -> str:
    columns = {"image": HOSTILE, "link": HOSTILE, "bold": HOSTILE, HOSTILE[0]: HOSTILE}
    frame = pd.DataFrame(columns, index=list(HOSTILE))
    return df_to_html(frame, image_cols="image", hyperlink_cols="link", html_tags={"bold": "b"})


def films_page() -> str:
    data = Interactions(mat=np.eye(1, len(HOSTILE)), num_negative_samples=1)
    model = MatrixFactorizationModel(train=data, embedding_dim=1).eval()
    films = range(1, len(HOSTILE) + 1)
    return get_recommendation_visualizations(
        model,
        1,
        df_user=pd.DataFrame({"user_id": [1], "item_id": [1], "rating": [5]}),
        df_item=pd.DataFrame({"item_id": films, "movie_title": HOSTILE}),
        movielens_posters_df=pd.DataFrame({"item_id": films, "url": HOSTILE}),
        detailed=True,
    )


def week_page() -> str:
    """Return the report of a week whose models, source and reasons are hostile."""
    metrics = ("mapk", "mapk_low", "mapk_high", "mapk_warm", "mapk_cold", "recall_head")
    numbers = dict.fromkeys((*metrics, "recall_tail", "ndcg", "auc", "bytes"), 0.5)
    board = pd.DataFrame({"model": HOSTILE, "users": 1, **numbers})
    decision = {"model": HOSTILE[:1], "mapk": 0.5, "passed": True, "reason": HOSTILE[1]}
    with TemporaryDirectory() as folder:
        tables = {"leaderboard": board, "champion": pd.DataFrame(decision)}
        for name, table in tables.items():
            with recording(Path(folder, "evaluation", name, "2026-01-05.parquet")) as path:
                table.to_parquet(path)
        return report(Path(folder), "2026-01-05", HOSTILE[2], 10)


PAGES = {
    "collie_core/utils/html.py": table_page,
    "collie_core/movielens/visualize.py": films_page,
    "collie_pipeline/reports.py": week_page,
}


@pytest.mark.parametrize("module", PAGES)
def test_nothing_in_a_page_runs(module: str) -> None:
    seen = Seen(PAGES[module]())
    assert seen.bad == []
    for text in HOSTILE[:3]:
        assert text in seen.text


def test_every_module_that_writes_html_is_tested_here() -> None:
    tag = re.compile(
        r"""["'>]\s*</?(a|b|body|div|h\d|head|html|img|p|script|span|strong|table|td)\b"""
    )
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for path in sources()
        if tag.search(path.read_text())
    }
    assert found == PAGES.keys()


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "a | b",
        "![x](javascript:alert(1))",
        "[x](https://evil)",
        "<https://evil>",
        "`code`",
        "```",
        "a\n\n# Heading\n",
        "a\r\n| b |",
        "~~gone~~ **bold** __bold__",
        "\\| a",
        "&#60;b&#62;",
        "\u2028# x",
    ],
)
def test_a_preview_shows_the_text_alone(text: str) -> None:
    frame = pd.DataFrame({text: [text, "b"], "plain": ["c", text]})
    lines = str(markdown(frame).value).split("\n")
    assert len(lines) == 4
    for line in (lines[0], *lines[2:]):
        bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", line)  # what is escaped means nothing
        assert bare.count("|") == 3
        assert not re.search(r"[<>`\[\]*_~&!\\]", bare)
        assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line).isprintable()


def test_a_chart_stays_in_its_block() -> None:
    lines = bars([("a\n```\n<script>", 1.0), ("```", 2.0), ("\x1b[31m", 0.0)]).splitlines()
    assert lines[0] == lines[-1] == "```"
    assert len(lines) == 5
    assert all(not re.fullmatch(r"\s*`{3,}\s*", line) for line in lines[1:-1])
    assert "\x1b" not in "".join(lines)


ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m[red]a[/red]\r[link=https://evil]b\u202egnp.exe"


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """One whose ids command a terminal."""
    users = {"user_id": [ESCAPES], "rank": [1], "item_id": [ESCAPES], "source": ["champion"]}
    pd.DataFrame({**users, "score": [1.0]}).to_parquet(tmp_path / "users.parquet")
    similar = {"item_id": [ESCAPES], "rank": [1], "similar_item_id": [ESCAPES], "score": [1.0]}
    pd.DataFrame(similar).to_parquet(tmp_path / "similar_items.parquet")
    hashes = {path.name: sha256(path) for path in tmp_path.glob("*.parquet")}
    return Publication(tmp_path, {"week": "2026-01-05", "sha256": hashes})


@pytest.fixture(params=["titles", "ids"])
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    title = ESCAPES if request.param == "titles" else ""
    items = {"item_id": [ESCAPES], "title": [title], "genres": [ESCAPES]}
    return Catalogue(pd.DataFrame(items))


def user_lists(publication: Publication, catalogue: Catalogue) -> object:
    met = {"user_id": [ESCAPES], "item_id": [ESCAPES], "timestamp": pd.to_datetime(["2026-01-05"])}
    return user_table(publication, pd.DataFrame(met), catalogue, ESCAPES)


def similar_items(publication: Publication, catalogue: Catalogue) -> object:
    return similar_table(publication, catalogue, ESCAPES)


@pytest.mark.parametrize("shown", [user_lists, similar_items])
def test_nothing_commands_the_terminal(
    shown: Callable[[Publication, Catalogue], object],
    publication: Publication,
    catalogue: Catalogue,
) -> None:
    out = StringIO()
    Console(file=out, force_terminal=False, width=300).print(shown(publication, catalogue))
    said = out.getvalue()
    assert re.sub(r"[\n ]", "", said).isprintable()
    assert "[red]a[/red]" in said  # markup is text too
    assert "[link=https://evil]" in said


def test_text_of_several_lines_keeps_them() -> None:
    assert harmless("a\n\tb\x1b[0m\x00") == "a\n\tb\ufffd[0m\ufffd"
    assert one_line("a\r\nb\tc\u2028d") == "a b c d"
    assert one_line("Amélie 👩‍👩‍👧 (2001)") == "Amélie 👩‍👩‍👧 (2001)"
