"""An id is found in whichever way a file writes it, and nowhere else."""

import html
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import pytest
from jinja2.filters import do_forceescape

from collie_pipeline.erasing import Who, erase_user, search
from collie_pipeline.project import Project
from collie_pipeline.running import dagster_home
from collie_pipeline.storage.markdown import escaped

IDS = ["O'Brien", "Zoë-Å 1", 'a"b\\c_d<e>&f', "😀smile", "user-1", "=1+1;x|y", "@handle", "Łódź-7"]
WAYS: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "HTML": html.escape,
    "HTML of Jinja": lambda text: str(do_forceescape(text)),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "entities": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    "XML": quoteattr,
    "JSON": json.dumps,
    "JSON after a line": lambda text: json.dumps(f"of\n{text}"),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"said": f"of\t{text}"})),
    "JSON in HTML": lambda text: html.escape(json.dumps(text)),
    "Markdown": escaped,
    "Markdown in JSON": lambda text: json.dumps(escaped(text)),
    "Python": repr,
    "Python's ASCII": ascii,
    "CSV": lambda text: '"' + text.replace('"', '""') + '"',
    "SQL": lambda text: "'" + text.replace("'", "''") + "'",
    "a URL": lambda text: f"https://shop/%7E{quote(text, safe='')}?a",
    "a URL in a URL": lambda text: f"?to=%2F{quote(quote(text, safe=''), safe='')}%26",
    "a colour": lambda text: f"\x1b[32m{text}\x1b[0m",
}


@pytest.mark.parametrize("user_id", IDS)
@pytest.mark.parametrize("way", WAYS)
def test_an_id_is_found_and_redacted_however_it_is_written(user_id: str, way: str) -> None:
    who = Who(user_id, "erased-0")
    text = f"the list of {WAYS[way](user_id)}, and of user-10"
    assert who.is_in(text)
    assert not who.is_in(who.redacted(text))
    assert who.redacted(text).startswith("the list of ")
    assert who.redacted(text).endswith(", and of user-10")
    assert "erased-0" in who.redacted(text)


@pytest.mark.parametrize("longer", ["user-10", "xuser-1", "user-1-a", "user-1_", "-user-1"])
def test_a_longer_id_is_another(longer: str) -> None:
    for way in ("plain", "JSON", "HTML", "a URL"):
        assert not Who("user-1").is_in(WAYS[way](longer))


@pytest.mark.parametrize("user_id", ["O'Brien", "Zoë-Å 1"])
def test_escaped_ids_are_erased_from_texts_and_events(project: Project, user_id: str) -> None:
    home = dagster_home()
    page, log = project.root / "logs" / "report.html", home / "storage" / "step.err"
    for path in (page, log):
        path.parent.mkdir(parents=True)
    page.write_text(f"<td>{html.escape(user_id)}</td><td>others</td>")
    log.write_text(json.dumps({"message": f"no list for\n{user_id}"}))
    said = json.dumps({"message": json.dumps({"user": user_id}), "others": 1})
    with closing(sqlite3.connect(home / "events.db")) as events:
        events.execute("CREATE TABLE event_logs (event TEXT)")
        events.execute("INSERT INTO event_logs VALUES (?)", (said,))
        events.commit()
    assert set(erase_user(project, home, user_id).found) == {page, log, home / "events.db"}
    assert search([project.root, home], Who(user_id)) == {}
    assert "<td>others</td>" in page.read_text()
    assert json.loads(log.read_text())["message"].startswith("no list for\nerased-")
    with closing(sqlite3.connect(home / "events.db")) as events:
        [(left,)] = events.execute("SELECT event FROM event_logs")
    assert json.loads(json.loads(left)["message"])["user"].startswith("erased-")


def test_an_escaped_id_is_found_where_blocks_of_a_file_meet(tmp_path: Path) -> None:
    user_id = "é" * 256  # the longest there may be
    written = json.dumps(user_id)
    (tmp_path / "log").write_text("x" * ((1 << 24) - len(written) + 9) + written)
    assert list(search([tmp_path], Who(user_id))) == [tmp_path / "log"]
