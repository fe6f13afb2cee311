"""The page about bad input against the kinds that are tested."""

from document import KINDS, PATH, text


def test_the_page_is_the_table_of_what_is_tested() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "python tests/pipeline/badinput/document.py"


def test_there_are_many_kinds_and_no_name_is_there_twice() -> None:
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names) >= 60
