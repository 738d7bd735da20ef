"""What can be asked of a scoring: people, tolerances, objects, probabilities, groups, formats."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image

from pixelwise.cli import main
from pixelwise.commands.compare import compare
from pixelwise.commands.evaluate import evaluate
from pixelwise.commands.read_pair import PixelSize
from pixelwise.commands.scoring_options import ScoringOptions
from pixelwise.core.errors import UserError
from pixelwise.core.records import MetricSummary, Summary


def save(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels.astype(np.uint8)).save(path)


def box(left: int) -> np.ndarray:
    mask = np.zeros((30, 40), np.uint8)
    mask[5:25, left : left + 10] = 1
    return mask


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four cases of two patients: predictions shifted by 0 to 3, a second annotator by 2."""
    rows = ["stem,patient"]
    for i in range(4):
        name = f"case-{i}"
        save(tmp_path / "truth" / f"{name}.png", box(10))
        save(tmp_path / "predicted" / f"{name}.png", box(10 + i))
        if i < 3:
            save(tmp_path / "second" / f"{name}.png", box(12) * 255)
        rows.append(f"{name},{'ab'[i // 2]}")
    (tmp_path / "metadata.csv").write_text("\n".join(rows))
    return tmp_path


def find(summary: Summary, metric: str) -> MetricSummary:
    return next(m for m in summary.metrics if m.metric == metric and m.class_id == 1)


def scored(root: Path, **options: object):  # noqa: ANN201 - the result of evaluate
    return evaluate(
        truth=root / "truth", predicted=root / "predicted", options=ScoringOptions(**options)
    )


def test_people_beside_the_prediction(root: Path) -> None:
    result = evaluate(
        truth=root / "truth", predicted=root / "predicted", out=root / "out",
        options=ScoringOptions(
            annotators=(root / "second",), boundary_tolerance="auto", metrics=("dice",)
        ),
    )  # fmt: skip
    human = result.humans["second"]
    assert human.n_cases == 3
    assert find(human, "dice").mean == pytest.approx(0.8)
    assert result.metrics == ("dice", "nsd:tolerance=2"), "shifted by two pixels"
    assert find(result.summary, "nsd:tolerance=2").mean is not None
    assert "Boundary tolerance 2 px" in result.summary.conditions[0]
    page = (root / "out" / "evaluation.html").read_text()
    assert "Beside people" in page
    assert "Boundary tolerance 2 px" in page


@pytest.mark.parametrize("consensus", ["majority", "staple"])
def test_a_consensus_of_people(root: Path, consensus: str) -> None:
    """Of 10..19, 12..21 and 13..22 two agree on 12..21 (13..19 all three)."""
    for i in range(4):
        save(root / "second" / f"case-{i}.png", box(12) * 255)
        save(root / "third" / f"case-{i}.png", box(13))
        save(root / "agreed" / f"case-{i}.png", box(12))
    options = ScoringOptions(
        annotators=(root / "second", root / "third"), consensus=consensus, metrics=("dice",)
    )
    result = evaluate(truth=root / "truth", predicted=root / "agreed", options=options)
    assert find(result.summary, "dice").mean == pytest.approx(1.0, abs=0.06)
    if consensus == "majority":
        assert find(result.summary, "dice").mean == 1
        assert find(result.humans["third"], "dice").mean == pytest.approx(0.9)
    assert "Scored against" in result.summary.conditions[0]
    with pytest.raises(UserError, match="one annotator"):
        scored(root, consensus="majority")


def test_groups_by_a_column(root: Path) -> None:
    result = scored(root, group="column:patient", metrics=("dice",))
    means = {g.group: g.mean for g in result.summary.groups if g.class_id == 1}
    assert means == pytest.approx({"a": 0.95, "b": 0.75})
    assert "groups of cases" in result.summary.interval


def test_the_value_of_void_and_a_map(root: Path) -> None:
    truth = box(10)
    truth[:, 25:] = 9
    save(root / "truth" / "case-0.png", truth)
    result = scored(root, ignore=9, metrics=("dice",))
    assert result.summary.cases[0].n_ignored == 30 * 15
    mapped = scored(root, label_map="0=background,1=cell,9=ignore", metrics=("dice",))
    assert mapped.summary.class_names == ("background", "cell")
    assert mapped.summary.cases == result.summary.cases


def test_spacing_that_is_said(root: Path) -> None:
    result = scored(root, pixel_size=PixelSize((1.0, 0.5), "mm", overrides=True), metrics=("hd",))
    assert [case.classes[1].values["hd"] for case in result.summary.cases] == [0, 0.5, 1, 1.5]
    assert result.summary.unit == "mm"


def test_numbered_objects(root: Path) -> None:
    truth = np.zeros((20, 20), np.uint16)
    truth[2:8, 2:8], truth[10:16, 2:8], truth[2:8, 12:18] = 1, 70, 900
    predicted = np.zeros_like(truth)
    predicted[2:8, 2:8], predicted[10:16, 2:5] = 5, 6
    for folder, numbers in (("true", truth), ("guess", predicted)):
        (root / folder).mkdir()
        tifffile.imwrite(root / folder / "x.tif", numbers)
    result = evaluate(
        truth=root / "true", predicted=root / "guess",
        options=ScoringOptions(objects="numbered", metrics=("dice",)),
    )  # fmt: skip
    assert find(result.summary, "ap50").mean == pytest.approx(1 / 4), "an IoU of 0.5 is no match"
    assert find(result.summary, "seg").mean == pytest.approx(1 / 3)
    assert find(result.summary, "missed_objects").pooled == 1
    assert find(result.summary, "dice").mean == pytest.approx(2 * 54 / (108 + 54))
    (root / "guess" / "x.tif").unlink()
    save(root / "guess" / "x.png", (predicted > 0) * 255)
    mixed = evaluate(
        truth=root / "true", predicted=root / "guess", out=root / "out",
        options=ScoringOptions(objects="numbered-truth", metrics=("dice",)),
    )  # fmt: skip
    assert find(mixed.summary, "ap50").mean == pytest.approx(1 / 4)
    sizes = mixed.summary.size_recall[0]
    assert (sum(sizes.n_objects), sum(sizes.n_touched), sum(sizes.n_matched)) == (3, 2, 1)


def test_probabilities_and_a_threshold(root: Path) -> None:
    (root / "maps").mkdir()
    for i in range(4):
        p = np.where(box(10 + i) == 1, 0.4, 0.1).astype(np.float16)
        np.save(root / "maps" / f"case-{i}.npy", np.stack([1 - p, p]))
    maps = root / "maps"
    most_likely = evaluate(truth=root / "truth", options=ScoringOptions(probabilities=maps))
    assert find(most_likely.summary, "dice").mean == 0, "nowhere above a half"
    low = ScoringOptions(probabilities=maps, threshold=0.3, split="val")
    result = evaluate(truth=root / "truth", options=low, out=root / "out")
    assert find(result.summary, "dice").mean == pytest.approx(0.85)
    vessel = result.summary.probabilities[1]
    assert vessel.best_threshold == pytest.approx(0.4, abs=1e-3)
    assert vessel.best_dice == pytest.approx(0.85)
    assert "searched on val" in result.summary.conditions[-1]
    assert "Reliability" in (root / "out" / "evaluation.html").read_text()
    tested = ScoringOptions(probabilities=maps, split="test")
    other = evaluate(truth=root / "truth", predicted=root / "predicted", options=tested)
    assert other.summary.probabilities[1].best_threshold is None
    assert "these are test cases" in other.summary.conditions[-1]


def test_results_in_every_format(root: Path) -> None:
    start = ["evaluate", "--truth", str(root / "truth"), "--predicted", str(root / "predicted")]

    def run(*words: str) -> str:
        ran = CliRunner().invoke(main, [*start, *words, "--metrics", "dice,hd95"])
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    rows = list(csv.DictReader(io.StringIO(run("--format", "csv"))))
    assert [row["dice"] for row in rows if row["class"] == "foreground"] == [
        "1.0",
        "0.9",
        "0.8",
        "0.7",
    ]
    for words in (("--format", "json"), ("--json",)):
        assert Summary.model_validate(json.loads(run(*words))).n_cases == 4
    assert r"\begin{tabular}" in run("--format", "latex")
    markdown = run("--format", "markdown")
    assert "| foreground" in markdown
    assert "0.8500" in markdown
    assert "Mean Dice" in run("--format", "table")


def test_comparison_in_every_format(root: Path) -> None:
    start = ["compare", f"shifted={root / 'predicted'}", str(root / "truth"), "--truth",
             str(root / "truth"), "--metrics", "dice,nsd"]  # fmt: skip
    shown = {}
    for name in ("table", "csv", "json", "latex", "markdown"):
        ran = CliRunner().invoke(main, [*start, "--format", name])
        assert ran.exit_code == 0, ran.output
        shown[name] = ran.stdout
    assert json.loads(shown["json"])["names"] == ["shifted", "truth"]
    assert shown["csv"].startswith("class,metric,first,second")
    assert r"\begin{tabular}" in shown["latex"]
    assert "# Comparison of shifted, truth" in shown["markdown"]
    assert "nsd:tolerance=2" in shown["table"], "two pixels by default, and said"


def test_folders_with_different_cases_are_compared_on_their_split(root: Path) -> None:
    (root / "splits.json").write_text(
        json.dumps({"train": ["case-0", "case-1"], "test": ["case-2", "case-3"]})
    )
    for i in (2, 3):
        save(root / "few" / f"case-{i}.png", box(10))
    result = compare([root / "predicted", root / "few"], truth=root / "truth")
    assert [case.id for case in result.scored["few"].summary.cases] == ["case-2", "case-3"]
    assert result.comparison.metrics[0].n_cases == 2


def test_help_lists_the_metrics() -> None:
    text = CliRunner().invoke(main, ["evaluate", "--help"]).stdout
    for name in ("dice", "nsd:tolerance=…", "betti_error", "cldice"):
        assert name in text


def broken(mask: np.ndarray, seed: int, n_specks: int) -> np.ndarray:
    """The same mask with single pixels added far from it and from each other."""
    places = np.argwhere(mask[1:-1:3, 1:-1:3] == 0) * 3 + 1
    chosen = np.random.default_rng(seed).permutation(places)[:n_specks]
    found = mask.copy()
    for y, x in chosen:
        if not mask[y - 1 : y + 2, x - 1 : x + 2].any():
            found[y, x] = mask.max()
    return found


@pytest.mark.real_data
def test_nearly_equal_dice_and_very_different_topology_is_said(
    real_data: Path, tmp_path: Path
) -> None:
    """The second observer of the validation images, and the same with a thousand specks."""
    data = real_data / "chase-db1"
    stems = json.loads((data / "splits.json").read_text())["val"]
    for i, stem in enumerate(stems):
        human = np.asarray(Image.open(data / "masks_annotator2" / f"{stem}.png"))
        save(tmp_path / "human" / f"{stem}.png", human)
        save(tmp_path / "specks" / f"{stem}.png", broken(human, i, 1000))
    result = compare(
        {"human": tmp_path / "human", "specks": tmp_path / "specks"}, truth=data / "masks",
        options=ScoringOptions(metrics=("dice", "component_error"), split="val"),
        out=tmp_path / "out",
    )  # fmt: skip
    dice = next(m for m in result.comparison.metrics if m.metric == "dice").means
    assert dice["human"] - dice["specks"] < 0.01
    assert any("specks has nearly the best Dice" in text for text in result.contradictions)
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert "Numbers that contradict each other" in page
