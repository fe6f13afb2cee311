import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_core.utils import df_to_html

EVIL = "\"><script>alert(1)</script>&amp;'"
SAFE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}


class Reader(HTMLParser):
    """What a browser would see: all tags with their attributes, and the text of each cell."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.is_inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.cells.append("")
            self.is_inside = True

    def handle_endtag(self, tag: str) -> None:
        self.is_inside = self.is_inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            self.cells[-1] += data

    def found(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def one(value: object, **options: object) -> str:
    """The cell of a table that holds `value` alone, in the column "a"."""
    page = df_to_html(pd.DataFrame({"a": [value]}), **options)  # type: ignore[arg-type]
    cell = re.search(r"<td>(.*)</td>", page, re.DOTALL)
    assert cell is not None
    return cell[1]


def greg() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "title": ["Greg", "Real Greg"],
            "description": ["some text here", "more text here"],
            "link": ["https://madeupsite.com", "https://anothermadeupsite.com"],
            "image": ["https://a.example/u/13399445", "https://a.example/u/31417712"],
        }
    )


@pytest.mark.parametrize("image", ["image", 0])
def test_harmless_table_is_the_reference_s(image: str | int) -> None:
    page = df_to_html(
        greg().rename(columns={"image": image}),
        image_cols=image,
        hyperlink_cols=["link", image],
        html_tags={"title": ["h2", "em"], image: "em"},
        max_num_rows=1,
    )
    expected = f"""
        <table border="1" class="dataframe"><thead><tr style="text-align: right;">
        <th></th><th>title</th><th>description</th><th>link</th><th>{image}</th></tr></thead>
        <tbody><tr><th>0</th>
        <td><h2><em>Greg</em></h2></td>
        <td>some text here</td>
        <td><a target="_blank" href="https://madeupsite.com">https://madeupsite.com</a></td>
        <td><img src="https://a.example/u/13399445"></td></tr></tbody></table>"""
    assert re.sub(r">\s+<", "><", page) == re.sub(r">\s+<", "><", expected).strip()


@pytest.mark.parametrize(
    ("options", "cell"),
    [
        ({"html_tags": {"a": "h2"}}, "<h2>x.png</h2>"),
        ({"html_tags": {"a": ["em", "strong"]}}, "<em><strong>x.png</strong></em>"),
        ({"html_tags": {"a": []}}, "x.png"),
        ({"image_cols": "a"}, '<img src="x.png">'),
        ({"image_cols": ["a"], "image_width": 200}, '<img src="x.png" width=200>'),
        ({"image_cols": "a", "image_width": 0}, '<img src="x.png">'),
        ({"hyperlink_cols": "a"}, '<a target="_blank" href="x.png">x.png</a>'),
        (
            {"hyperlink_cols": "a", "html_tags": {"a": "b"}},
            '<b><a target="_blank" href="x.png">x.png</a></b>',
        ),
        (
            {"image_cols": "a", "hyperlink_cols": "a", "html_tags": {"a": "b"}},
            '<img src="x.png">',
        ),
    ],
)
def test_cell_becomes_what_its_column_asks_for(options: dict[str, object], cell: str) -> None:
    assert one("x.png", **options) == cell


@pytest.mark.parametrize(
    "options", [{}, {"html_tags": {EVIL: "b"}}, {"image_cols": EVIL}, {"hyperlink_cols": [EVIL]}]
)
@pytest.mark.parametrize("transpose", [False, True])
def test_no_cell_or_name_reaches_the_page_as_markup(
    options: dict[str, object], transpose: bool
) -> None:
    df = pd.DataFrame({EVIL: [EVIL, [EVIL]], "b": [EVIL, 1]}, index=pd.Index([EVIL, 1], name=EVIL))
    df.columns.name = EVIL
    page = Reader(df_to_html(df, transpose=transpose, **options))  # type: ignore[arg-type]
    assert {tag for tag, _ in page.tags} <= SAFE_TAGS | {"b", "img", "a"}
    for tag in ("img", "a"):
        assert all(set(each) <= {"src", "href", "target"} for each in page.found(tag))
    assert page.cells.count(EVIL) >= 4 - ("image_cols" in options)


@given(st.text())
def test_any_text_comes_back_from_a_browser_as_it_was(text: str) -> None:
    df = pd.DataFrame({"tagged": [text], "link": ["?" + text], "image": ["?" + text]})
    page = df_to_html(df, "image", "link", {"tagged": "b"})
    reader = Reader(page.replace("\r", "&#13;"))  # parsers read a bare CR as a line's end
    expected = "?" + text
    assert [each["src"] for each in reader.found("img")] == [expected]
    assert [each["href"] for each in reader.found("a")] == [expected]
    assert reader.cells[-3:-1] == [text, expected]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " \x01javascript:alert(1)",
        "java\n\tscript:alert(1)",
        "\tjava\r\nscript\t:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://x/1",
        "httpsx://y",
    ],
)
def test_other_addresses_are_shown_but_lead_nowhere(address: str) -> None:
    for option in ("image_cols", "hyperlink_cols"):
        reader = Reader(one(address, **{option: "a"}))
        assert reader.tags == []
    assert "<" not in one(address, hyperlink_cols="a")
    assert "alert" not in address or "alert" in one(address, image_cols="a")


@pytest.mark.parametrize(
    "address",
    ["https://x/?a=1", "HTTP://x", "//x/y", "/a/b:c", "a/b.png", "#top", "?q=a:b", "1:2", ":x"],
)
def test_web_addresses_and_relative_paths_are_kept(address: str) -> None:
    assert one(address, image_cols="a") == f'<img src="{address}">'
    assert one(address, hyperlink_cols="a") == f'<a target="_blank" href="{address}">{address}</a>'


def test_image_may_hold_its_own_data_and_a_link_may_not() -> None:
    data = "data:image/png;base64,iVBORw0KGgo="
    assert one(data, image_cols="a") == f'<img src="{data}">'
    assert one(data, hyperlink_cols="a") == data


@pytest.mark.parametrize("missing", [None, np.nan, pd.NaT, pd.NA, ""])
@pytest.mark.parametrize("option", ["image_cols", "hyperlink_cols"])
def test_missing_address_gives_an_empty_cell(missing: object, option: str) -> None:
    assert one(missing, **{option: "a"}) == ""


def test_path_is_an_address_too() -> None:
    assert one(Path("posters") / "1.png", image_cols="a") == '<img src="posters/1.png">'


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_kind_of_column_does_not_matter(dtype: str) -> None:
    df = pd.DataFrame({"a": pd.Series(["x", "x", None], dtype=dtype)})
    page = df_to_html(df, image_cols="a")
    assert page.count('<img src="x">') == 2
    assert "<td></td>" in page


def test_trusted_data_are_left_as_they_are() -> None:
    assert one("<i>x</i>", escape=False) == "<i>x</i>"
    assert one("<i>x</i>", escape=False, html_tags={"a": "b"}) == "<b><i>x</i></b>"
    link = one("javascript:x", escape=False, hyperlink_cols="a")
    assert link == '<a target="_blank" href="javascript:x">javascript:x</a>'
    assert "<th><br></th>" in df_to_html(pd.DataFrame({"<br>": [1]}), escape=False)


def test_names_may_come_twice_and_on_two_levels() -> None:
    twice = pd.DataFrame([["x", "y", 1]], columns=["a", "a", "b"])
    assert df_to_html(twice, image_cols="a").count("<img") == 2
    levels = pd.DataFrame([["x", "y"]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))
    assert df_to_html(levels, image_cols=[("a", 2)]).count('<img src="y">') == 1


def test_long_text_is_not_cut_and_no_option_changes() -> None:
    long = "x" * 500
    with pd.option_context("display.max_colwidth", 7):
        assert one(long) == long
        assert pd.get_option("display.max_colwidth") == 7
        with pytest.raises(TypeError):
            df_to_html(greg(), no_such_option=1)
        assert pd.get_option("display.max_colwidth") == 7


def test_frame_that_is_given_stays_as_it_is() -> None:
    df, before = greg(), greg()
    df_to_html(df, "image", "link", {"title": "h2"}, transpose=True, max_num_rows=None)
    pd.testing.assert_frame_equal(df, before)


@pytest.mark.parametrize(
    ("most", "shown"), [(None, 300), (200, 200), (300, 300), (1000, 300), (1, 1), (0, 0)]
)
def test_rows_end_where_they_are_told_to(most: int | None, shown: int) -> None:
    df = pd.DataFrame({"a": [f"{row}.png" for row in range(300)]})
    page = df_to_html(df, image_cols="a", max_num_rows=most)
    assert re.findall(r'src="(\d+)\.png"', page) == [str(row) for row in range(shown)]


def test_transposed_rows_are_columns() -> None:
    page = df_to_html(greg(), image_cols="image", transpose=True, max_num_rows=1)
    assert page.count("<tr>") == 4
    assert re.search(r'<th>image</th>\s*<td><img src="https://a.example/u/13399445"></td>', page)


def test_other_arguments_are_those_of_pandas() -> None:
    df = greg().assign(price=1 / 3)
    page = df_to_html(
        df, "image", index=False, classes=["mine"], float_format="<{:.1f}>".format, justify="left"
    )
    assert 'class="dataframe mine"' in page
    assert "<td>&lt;0.3&gt;</td>" in page
    assert "<th>0</th>" not in page


@pytest.mark.parametrize("option", ["image_cols", "hyperlink_cols", "html_tags"])
def test_unknown_column_is_refused_with_the_known_ones(option: str) -> None:
    columns: object = {"imgae": "b"} if option == "html_tags" else "imgae"
    with pytest.raises(
        ValueError, match=r"no column \['imgae'\], there are \['title', .*'image'\]"
    ):
        df_to_html(greg(), **{option: columns})  # type: ignore[arg-type]


@pytest.mark.parametrize("tag", ["", "h2 onclick=x", "b><script", "/b", "2h", "b\n", "é"])
@pytest.mark.parametrize("escape", [True, False])
def test_tag_that_is_no_plain_name_is_refused(tag: str, escape: bool) -> None:
    with pytest.raises(ValueError, match=re.escape(f"the tag {tag!r} is no plain name")):
        df_to_html(greg(), html_tags={"title": ["b", tag]}, escape=escape)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_num_rows": -1}, "max_num_rows is -1, must be at least 0"),
        ({"image_width": -5}, "image_width is -5, must be at least 0"),
        ({"buf": "page.html"}, "buf is 'page.html', must be None: write what is returned"),
        ({"render_links": True}, "render_links is True, must be False .*hyperlink_cols"),
    ],
)
def test_wrong_argument_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        df_to_html(greg(), **options)  # type: ignore[arg-type]


def test_width_is_a_number_and_nothing_more() -> None:
    with pytest.raises(TypeError, match=r"image_width is '1 onload=x', must be a whole number"):
        df_to_html(greg(), image_cols="image", image_width="1 onload=x")  # type: ignore[arg-type]
