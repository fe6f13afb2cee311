"""Publishing, rolling back, damaging, pruning and reading in any order, against a model of it."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from collie_pipeline.storage import (
    Publication,
    current,
    find,
    prune,
    publications,
    publish,
    rollback,
    serving_before,
)

WEEKS = [f"2026-01-{day:02}" for day in (5, 12, 19, 26)]
TABLE = pd.DataFrame({"user_id": ["a"], "rank": [1]})


class Publishing(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.bundle = self.root / "model.bundle"
        self.bundle.write_bytes(b"weights")
        self.stack: list[str] = []
        self.withdrawn: set[str] = set()
        self.readers: list[Publication] = []

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @rule(week=st.sampled_from(WEEKS), inputs=st.integers(0, 1))
    def make(self, week: str, inputs: int) -> None:
        parent = serving_before(self.root, week)
        assert parent is None or parent.week < week
        about = {"week": week, "inputs": inputs, "parent": parent and {"id": parent.id}}
        made = publish(self.root, {"users": TABLE}, self.bundle, about)
        serving = self.stack[-1] if self.stack else ""
        if serving[:10] <= week and made.id not in self.withdrawn:
            self.stack = [*(each for each in self.stack if each != made.id), made.id]

    @precondition(lambda self: self.stack)
    @rule(data=st.data())
    def roll_back_to(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from([each.id for each in publications(self.root)]))
        rollback(self.root, chosen)
        place = self.stack.index(chosen) if chosen in self.stack else len(self.stack) - 1
        left = {*self.stack[place:], self.stack[-1]}
        self.withdrawn |= {each for each in left if each[:10] >= chosen[:10]}
        self.withdrawn -= {chosen}
        self.stack = self.stack[:place] if chosen in self.stack else self.stack
        self.stack.append(chosen)

    @precondition(lambda self: self.stack)
    @rule()
    def damage_and_mend(self) -> None:
        serving = current(self.root)
        assert serving is not None
        serving.table("users").write_bytes(b"other")
        again = publish(self.root, {"users": TABLE}, self.bundle, _about(serving))
        assert again.id == serving.id
        assert current(self.root) == again
        self.readers = [each for each in self.readers if each.id != again.id]

    @precondition(lambda self: self.stack)
    @rule()
    def resolve(self) -> None:
        serving = current(self.root)
        assert serving is not None
        self.readers.append(serving)

    @rule(keep=st.integers(1, 3))
    def prune_within_grace(self, keep: int) -> None:
        assert prune(self.root, keep, keep_days=1) == []

    @rule(keep=st.integers(1, 3))
    def prune_after_grace(self, keep: int) -> None:
        later = datetime.now(UTC) + timedelta(days=2)
        gone = prune(self.root, keep, keep_days=1, now=later)
        left = publications(self.root)
        assert len(left) >= min(keep, len(left) + len(gone))
        self.readers = [each for each in self.readers if each.id not in gone]
        self.stack = [each for each in self.stack if each not in gone]

    @invariant()
    def what_serves_is_whole_and_as_the_model_says(self) -> None:
        serving = current(self.root)
        assert (serving.id if serving else None) == (self.stack[-1] if self.stack else None)
        assert serving is None or serving.is_whole()
        assert serving is None or find(self.root, serving.id) == serving

    @invariant()
    def every_reader_still_has_its_tables(self) -> None:
        for reader in self.readers:
            pd.testing.assert_frame_equal(reader.read("users"), TABLE)


def _about(publication: Publication) -> dict[str, object]:
    written = ("rows", "schema", "sha256", "bytes")
    return {name: value for name, value in publication.manifest.items() if name not in written}


Publishing.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestPublishing = Publishing.TestCase
