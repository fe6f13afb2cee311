import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from racing import Enough, Race  # of the sides, which peers run too
from ranking import Judge

from benchmarks import data
from benchmarks.drawing import write_svg
from benchmarks.growth import Growth
from benchmarks.harness import SIDES, Side, Taken, alternated
from benchmarks.subjects import SUBJECTS, Subject, Target, chosen
from benchmarks.verdicts import Result
from collie_core.interactions import Interactions
from collie_core.metrics import evaluate_per_user

ROOT = Path(__file__).parents[2]
SET = "zipf-0.02m"
SIDE = """
import time

def quick(path):
    return lambda: None

def endless(path):
    return lambda: time.sleep(60)

def failing(path):
    turns = iter(range(2))
    def fail():
        if next(turns):
            raise ValueError("of the second time")
    return fail
"""
SLOW = Taken(cpu=[3.0, 4.0], wall=[3.0, 4.0], mib=[8.0])
FAST = Taken(cpu=[1.0, 2.0], wall=[1.0, 2.0], mib=[2.0])


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three sides be of a file that imports nothing large."""
    (tmp_path / "side.py").write_text(SIDE)
    for name in ("ours", "bare", "als"):
        monkeypatch.setitem(SIDES, name, (str(tmp_path / "side.py"), None))


def raced(*values: float) -> Taken:
    curve = [(2.0 * turn, 1.0 * turn, value) for turn, value in enumerate(values, start=1)]
    return Taken(cpu=[1.0], wall=[1.0], mib=[1.0], curve=[curve])


def result(*targets: Target, **taken: Taken) -> Result:
    return Result("work", Subject("work", ("data",), targets=targets), "data", taken)


def verdict_of(target: Target, **taken: Taken) -> str:
    (verdict,) = result(target, **taken).verdicts
    return str(verdict)


def made_set(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    pairs = rng.permutation(np.flatnonzero(rng.random(30 * 40) < 0.3))
    parts = {"": pairs, "seen_": pairs[:200], "train_": pairs[:180], "test_": pairs[200:]}
    path = folder / "set.npz"
    sides = {f"{part}users": of // 40 for part, of in parts.items()}
    np.savez(path, **sides, **{f"{part}items": of % 40 for part, of in parts.items()})
    return path


def test_one_command_prints_a_row_and_writes_what_it_found(tmp_path: Path) -> None:
    options = ["--data", SET, "--only-ours", "--runs", "1", "--results", str(tmp_path / "found")]
    command = [sys.executable, "-m", "benchmarks", "split", *options]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"split              {SET}    ours" in said.stdout
    (written,) = (tmp_path / "found").glob("*.json")
    (row,) = json.loads(written.read_text())["results"]
    assert len(row["by"]["ours"]["cpu"]) == 1
    assert written.with_suffix(".svg").exists()


@pytest.mark.usefixtures("sides")
def test_a_side_that_fails_is_named_and_the_others_go_on() -> None:
    taken = alternated({"ours": "quick", "bare": "no_such_work", "als": "failing"}, SET, 2, 1)
    assert "no_such_work" in str(taken["bare"].missing)
    assert "ValueError: of the second time" in str(taken["als"].missing)
    assert [len(each.cpu) for each in taken.values()] == [2, 0, 0]


@pytest.mark.usefixtures("sides")
def test_a_side_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with Side("bare", "endless", data.made(SET), 1) as side:
        monkeypatch.setattr("benchmarks.harness.LIMIT", 0.2)
        with pytest.raises(RuntimeError, match=r"took more than 0\.2 s"):
            side.run()


def test_data_that_are_not_there_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_BENCH_DATA", "/nowhere")
    assert "COLLIE_BENCH_DATA" in str(
        alternated({"ours": "split"}, "ml-100k", 1, 1)["ours"].missing
    )


def test_a_ratio_is_of_turns_that_came_one_after_the_other() -> None:
    said = verdict_of(Target("peer", 2), ours=FAST, peer=SLOW)
    assert said == "2.50x (2.00..3.00), asked 2.00"


def test_a_ratio_below_what_is_asked_is_missed() -> None:
    said = verdict_of(Target("peer", 5, "mib"), ours=FAST, peer=SLOW)
    assert said == "4.00x of the memory, asked 5.00 MISSED"


def test_a_target_is_asked_only_on_its_data() -> None:
    target = Target("peer", 5, datasets=("another",))
    assert verdict_of(target, ours=FAST, peer=SLOW) == "2.50x (2.00..3.00)"


def test_a_race_is_to_the_best_of_the_peer() -> None:
    target, peer = Target("peer", 1, "reach"), raced(0.05, 0.06, 0.09, 0.1, 0.08)
    said = verdict_of(target, ours=raced(0.0, 0.0996), peer=peer)
    assert said == "0.0995 in 4.00 s, ours in 2.00 s (CPU 8.00 and 4.00): 2.00x, asked 1.00"


def test_a_race_that_never_ends_is_missed() -> None:
    said = verdict_of(Target("peer", 1, "reach"), ours=raced(0.02, 0.03), peer=raced(0.1))
    assert said == "0.0995 in 1.00 s, ours 0.0300 at best: never, asked 1.00 MISSED"


def test_growth_is_the_slope_on_logarithmic_axes() -> None:
    points = tuple((rows, 3e-6 * rows**1.2) for rows in (10, 100, 5000))
    growth = Growth("work", "cpu", 1.05, points)
    assert growth.exponent == pytest.approx(1.2)
    assert "rows^1.20, asked at most 1.05 MISSED" in str(growth)


def test_the_picture_is_well_formed_and_has_all_that_was_measured(tmp_path: Path) -> None:
    race = result(Target("peer", 1, "reach"), ours=raced(0.02, 0.03), peer=raced(0.1))
    bars = result(Target("peer <of> ours", 5), **{"ours": FAST, "peer <of> ours": SLOW})
    write_svg([replace(race, name="race"), bars], tmp_path / "found.svg")
    picture = ElementTree.parse(tmp_path / "found.svg")  # noqa: S314 - our own
    texts = {each.text for each in picture.iter()}
    assert "work, data: peer <of> ours" in texts
    assert "race, data: MAP@10 by seconds of fitting" in texts
    assert {"2.50", "never"} <= texts


def test_peers_are_judged_as_we_judge_ourselves(tmp_path: Path) -> None:
    path = made_set(tmp_path)
    arrays = np.load(path)
    scores = np.random.default_rng(1).standard_normal((30, 40)).astype(np.float32)

    def of(part: str) -> Interactions:
        columns = {side: arrays[f"{part}_{side}"] for side in ("users", "items")}
        return Interactions(**columns, num_users=30, num_items=40, allow_missing_ids=True)

    class Scorer:
        num_users, num_items = scores.shape

        def score_all(self, users: object) -> object:
            return torch.from_numpy(scores)[users]

    ours = evaluate_per_user(Scorer(), of("test"), exclude=of("seen"), metrics=("mapk",))
    found = Judge(path).mapk(lambda block: scores[block])
    assert found == pytest.approx(float(ours["mapk"].mean()))


def test_a_race_ends_with_its_last_lap(tmp_path: Path) -> None:
    race = Race(made_set(tmp_path), "60", "2")
    race.start()
    assert not race.lap(lambda block: np.ones((len(block), 40)))
    with pytest.raises(Enough):
        race.lap_or_stop(lambda block: np.ones((len(block), 40)))
    assert [len(point) for point in race.result()["curve"]] == [3, 3]


def test_subjects_that_are_unknown_are_refused_with_the_known() -> None:
    with pytest.raises(ValueError, match=r"\['spilt'\] are unknown: use some of .*'split'"):
        chosen(["spilt"])


def test_every_side_of_a_subject_is_known() -> None:
    assert {side for subject in SUBJECTS.values() for side in subject.sides} <= SIDES.keys()
