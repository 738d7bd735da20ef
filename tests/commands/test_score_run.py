"""A run is scored through the files that it writes, over the pixels that count."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise.commands.evaluate import evaluate
from pixelwise.commands.run_cases import split_cases
from pixelwise.commands.score_run import _spread, score_run
from pixelwise.commands.scoring_options import ScoringOptions
from pixelwise.commands.validate import Validator
from pixelwise.core.case import Case
from pixelwise.core.errors import BadData, BadPlan
from pixelwise.core.records import IntervalRecord
from pixelwise.networks import NetworkIO, build_network
from pixelwise.runs.folder import open_run


def test_a_split_is_labelled_and_scored(bright_run: Path) -> None:
    result = score_run(bright_run, split="train")
    assert result.summary.n_cases == 4
    assert [pair.id for pair in result.pairs] == [f"case-{i}" for i in range(4)]
    assert all(case.confidence is not None and case.confidence > 0.99
               for case in result.summary.cases)  # fmt: skip
    assert open_run(bright_run).read_scores()["train"] == result.summary
    for pair in result.pairs:
        with Image.open(pair.truth) as truth, Image.open(pair.predicted) as predicted:
            np.testing.assert_array_equal(np.asarray(truth) > 0, np.asarray(predicted) > 0)


def test_a_deadline_leaves_cases_out_but_scores_one(bright_run: Path) -> None:
    result = score_run(bright_run, split="train", deadline=0.0)
    assert [pair.id for pair in result.pairs] == ["case-0"]


def test_every_beginning_is_spread_over_the_split() -> None:
    cases = [Case(str(i), Path(f"{i}.png")) for i in range(6)]
    assert [case.id for case in _spread(cases)] == ["0", "4", "2", "1", "3", "5"]


def test_an_empty_split_is_told_with_the_others(bright_run: Path) -> None:
    folder = open_run(bright_run)
    with pytest.raises(BadData, match=r"'holdout'.*train 4, val 1, test 1"):
        split_cases(folder, folder.read_plan(), "holdout")


def test_evaluate_takes_a_run_or_two_folders(bright_run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="not clear what to score"):
        evaluate(bright_run, truth=tmp_path, predicted=tmp_path)
    with pytest.raises(BadPlan, match="not clear what to score"):
        evaluate(truth=tmp_path)
    evaluate(bright_run, options=ScoringOptions(split="test"), out=tmp_path / "scores")
    with (tmp_path / "scores" / "scores.csv").open(newline="") as stream:
        assert "case-5" in {value for row in csv.reader(stream) for value in row}


def test_a_run_with_its_probabilities_and_objects(bright_run: Path, tmp_path: Path) -> None:
    options = ScoringOptions(split="val", objects="components", metrics=("dice",), has_sizes=True)
    result = evaluate(bright_run, options=options, calibration=True, out=tmp_path / "out")
    squares = result.summary.probabilities[1]
    assert squares.roc_auc == 1
    assert squares.best_threshold is not None
    assert squares.best_dice == 1
    means = {m.metric: m.mean for m in result.summary.metrics if m.class_id == 1}
    assert means["pq"] == means["ap_dsb"] == 1
    assert "Probabilities" in (tmp_path / "out" / "evaluation.html").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"annotators": (Path("x"),)}, "--annotator"),
        ({"label_map": "0=a,1=b"}, "--map"),
        ({"objects": "numbered"}, "--instances numbered"),
        ({"threshold": 0.3}, "--threshold"),
        ({"boundary_tolerance": "wide"}, "'wide'"),
    ],
)
def test_what_only_folders_can_be_asked(
    bright_run: Path, options: dict[str, object], words: str
) -> None:
    with pytest.raises(BadPlan, match=words):
        score_run(bright_run, split="val", options=ScoringOptions(**options))


def make_record(step: int) -> IntervalRecord:
    return IntervalRecord(
        step=step, n_steps=10, seconds=1, loss=1, learning_rate=0.1, images_per_second=1
    )


def test_validation_while_training(bright_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the first seconds, not with the last record, not if it would miss the deadline."""
    folder = open_run(bright_run)
    plan = folder.read_plan()
    network = build_network("bright", NetworkIO(2, 1, 2), {})
    validator = Validator(plan, split_cases(folder, plan, "train"))
    now = 1000.0
    monkeypatch.setattr("pixelwise.commands.validate.time.monotonic", lambda: now)
    validator._due = 1005.0
    assert validator.score_if_due(network, make_record(5), None) is None
    now = 1006.0
    assert validator.score_if_due(network, make_record(10), None) is None
    assert validator.score_if_due(network, make_record(5), 1005.5) is None
    assert validator.score_if_due(network, make_record(5), None) == 1.0
    assert validator.score_if_due(network, make_record(6), None) is None, "the next one comes later"


def test_no_validation_cases_no_score(bright_run: Path) -> None:
    folder = open_run(bright_run)
    plan = folder.read_plan()
    none = plan.training.model_copy(update={"validation_cases": 0})
    validator = Validator(plan.model_copy(update={"training": none}),
                          split_cases(folder, plan, "val"))  # fmt: skip
    validator._due = 0.0
    network = build_network("bright", NetworkIO(2, 1, 2), {})
    assert validator.score_if_due(network, make_record(5), None) is None
