"""Data frames as HTML tables, whose cells may be images, links or tagged text."""

import html
import re
import secrets
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from collie_core.interactions.ids import at_least
from collie_core.utils.columns import require_columns

Columns = Hashable | Iterable[Hashable]
Tags = str | Sequence[str]


def df_to_html(
    df: pd.DataFrame,
    image_cols: Columns = [],  # noqa: B006 - the reference's, and never changed
    hyperlink_cols: Columns = [],  # noqa: B006
    html_tags: Mapping[Any, Tags] = {},
    transpose: bool = False,
    image_width: int | None = None,
    max_num_rows: int | None = 200,
    *,
    escape: bool = True,
    **kwargs: Any,
) -> str:
    """Return `df` as an HTML table of the CSS class "dataframe".

    Parameters
    ----------
    df : the table; it stays as it is.
    image_cols : names of the columns with addresses or relative paths of images, on which the other
        transformations have no effect.
    hyperlink_cols : names of the columns with addresses, which open in a new tab.
    html_tags : tags to put around the cells of a column, the outermost first.
    transpose : whether columns become rows, after the transformations.
    image_width : of each image, in pixels.
    max_num_rows : the rows to show, from the first on; None shows all.
    escape : whether markup in cells and names is shown as the text it is. An image or link then
        leads to http, https or a relative path, an image also to ``data:image/``; of any other only
        the text is shown. False is for data that are trusted to be HTML.
    **kwargs : of `pandas.DataFrame.to_html`, never taken from data: attributes are not escaped.

    Raises
    ------
    ValueError
        If a column is unknown, a tag is more than letters and digits, a number is negative, or
        `buf`, or with `escape` `render_links`, is given.
    TypeError
        If a number is not whole.
    """
    _refuse_what_marks_cannot_do(kwargs, escape)
    cells = _Cells(
        images=_listed(image_cols),
        links=_listed(hyperlink_cols),
        tags={column: _checked_tags(tags) for column, tags in html_tags.items()},
        image_width=at_least("image_width", image_width or 0, 0),
        escape=escape,
    )
    require_columns(df, *cells.images, *cells.links, *cells.tags)
    rows = len(df) if max_num_rows is None else at_least("max_num_rows", max_num_rows, 0)
    marks = _Marks()
    shown = _marked(df.head(rows), cells, marks)
    table: str = (shown.T if transpose else shown).to_html(escape=escape, **kwargs)
    return marks.replaced(table)


class _Marks:
    """Text that stands in for markup while pandas escapes the table.

    So all else in a table, names and formatted numbers too, is escaped by pandas itself.
    """

    def __init__(self) -> None:
        self.key = secrets.token_hex(16)  # no cell can hold what nobody can guess
        self.markup: list[str] = []

    def instead_of(self, markup: str) -> str:
        self.markup.append(markup)
        return f"{self.key}.{len(self.markup) - 1}."

    def replaced(self, table: str) -> str:
        return re.sub(rf"{self.key}\.(\d+)\.", lambda mark: self.markup[int(mark[1])], table)


@dataclass(frozen=True)
class _Cells:
    """What becomes of the cells; the parameters are those of `df_to_html`."""

    images: list[Any]
    links: list[Any]
    tags: Mapping[Any, Sequence[str]]
    image_width: int
    escape: bool

    def concern(self, column: Hashable) -> bool:
        return column in self.images or column in self.links or column in self.tags

    def markup(self, column: Hashable, value: object) -> str:
        if column in self.images:
            return self._image(value)
        inside = self._link(value) if column in self.links else self._text(value)
        tags = self.tags.get(column, ())
        opening = "".join(f"<{tag}>" for tag in tags)
        return opening + inside + "".join(f"</{tag}>" for tag in reversed(tags))

    def _image(self, value: object) -> str:
        width = f" width={self.image_width}" if self.image_width else ""
        address = self._address(value, "data:image/")
        return f'<img src="{address}"{width}>' if address else self._text_if_any(value)

    def _link(self, value: object) -> str:
        text, address = self._text_if_any(value), self._address(value)
        return f'<a target="_blank" href="{address}">{text}</a>' if address else text

    def _text_if_any(self, value: object) -> str:
        return "" if _is_missing(value) else self._text(value)

    def _text(self, value: object) -> str:
        return html.escape(str(value), quote=False) if self.escape else str(value)

    def _address(self, value: object, *also: str) -> str:
        """Return `value` as the value of an attribute; empty if nothing may lead there."""
        address = "" if _is_missing(value) else str(value)
        if not self.escape:
            return address
        return html.escape(address) if _is_harmless(address, *also) else ""


def _marked(df: pd.DataFrame, cells: _Cells, marks: _Marks) -> pd.DataFrame:
    """Return `df` with marks where `cells` have markup; the frame that is given changes."""
    for place, column in enumerate(df.columns):  # names may come twice
        if cells.concern(column):
            markup = [cells.markup(column, value) for value in df.iloc[:, place]]
            df.isetitem(place, [marks.instead_of(each) for each in markup])
    return df


def _is_missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _is_harmless(address: str, *also: str) -> bool:
    """Return whether `address` is relative, of http or https, or begins with one of `also`."""
    # the WHATWG URL standard: browsers look for the scheme after leaving out these characters
    seen = re.sub(r"[\t\n\r]", "", address).lstrip("".join(map(chr, range(33)))).lower()
    scheme = re.match(r"[a-z][a-z0-9+.-]*:", seen)
    return scheme is None or seen.startswith(("http:", "https:", *also))


def _listed(columns: Columns) -> list[Any]:
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        return [columns]  # a number is a name as well
    return list(columns)


def _checked_tags(tags: Tags) -> list[str]:
    names = [tags] if isinstance(tags, str) else list(tags)
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
            raise ValueError(
                f"the tag {name!r} is no plain name, must be letters and digits: use one such as "
                "'strong', and a list of them to nest"
            )
    return names


def _refuse_what_marks_cannot_do(kwargs: Mapping[str, Any], escape: bool) -> None:
    if kwargs.get("buf") is not None:
        raise ValueError(f"buf is {kwargs['buf']!r}, must be None: write what is returned")
    if escape and kwargs.get("render_links"):
        raise ValueError(
            "render_links is True, must be False as pandas does not escape these links: name "
            "their columns in hyperlink_cols"
        )
