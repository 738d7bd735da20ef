"""Values that MONAI publishes in its own tests of distances, rebuilt as data.

Source: github.com/Project-MONAI/MONAI, tests/metrics (Apache-2.0), one test file per test here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixelwise import metrics

INF, NAN = math.inf, math.nan
SPACING = (0.85, 1.2, 0.9)
NORMS = ("euclidean", "chessboard", "taxicab")


def ball(
    radius: float,
    centre: tuple[int, int, int] = (49, 49, 49),
    spacing: tuple[float, ...] = (1,) * 3,
) -> np.ndarray:
    axes = np.ogrid[:99, :99, :99]
    return np.asarray(
        sum((a * s - c) ** 2 for a, s, c in zip(axes, spacing, centre, strict=True)) <= radius**2
    )


NOTHING = np.zeros((99, 99, 99), bool)


@pytest.mark.parametrize(
    ("predicted", "truth", "spacing", "percentile", "expected"),
    [
        (ball(20), ball(20), None, None, [0] * 6),
        (ball(20, (20, 20, 20)), ball(20, (19, 19, 19)), None, None,
         [1.7320508075688772, 1.7320508075688772, 1, 1, 3, 3]),
        (ball(33, (19, 33, 22)), ball(33, (20, 33, 22)), None, None, [1] * 6),
        (ball(20, (20, 33, 22)), ball(40, (20, 33, 22)), None, None,
         [20.09975124224178, 20.223748416156685, 15, 20, 24, 35]),
        (NOTHING, ball(40, (20, 33, 22)), None, None, [INF] * 6),
        (ball(20), NOTHING, None, None, [INF] * 6),
        (ball(20, (20, 33, 22)), ball(40, (20, 33, 22)), None, 95,
         [19.924858845171276, 20.09975124224178, 14, 18, 22, 33]),
        (ball(20, (20, 20, 20), SPACING), ball(20, (19, 19, 19), SPACING), SPACING, None,
         [2.0808651447296143, 2.2671568, 2, 2, 3, 4]),
        (ball(15, (20, 33, 22), SPACING), ball(30, (20, 33, 22), SPACING), SPACING, None,
         [15.439640998840332, 15.62594, 11, 17, 20, 28]),
        (NOTHING, NOTHING, None, None, [NAN] * 6),
        (NOTHING, NOTHING, SPACING, None, [NAN] * 6),
    ],
    ids=range(11),
)  # fmt: skip
def test_hausdorff_distance(
    predicted: np.ndarray, truth: np.ndarray, spacing: tuple[float, ...] | None,
    percentile: float | None, expected: list[float],
) -> None:  # fmt: skip
    """test_hausdorff_distance.py: per norm directed, then both directions."""
    found = []
    for norm in NORMS:
        for directed in (True, False):
            options = {"norm": norm, "directed": directed, "convention": "monai"}
            if percentile is None:
                found.append(metrics.hd(truth, predicted, spacing, **options))
            else:
                found.append(
                    metrics.hd95(truth, predicted, spacing, percentile=percentile, **options)
                )
    assert found == pytest.approx(expected, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("predicted", "truth", "norm", "spacing", "symmetric", "directed"),
    [
        (ball(20), ball(20), "euclidean", None, 0, 0),
        (ball(20, (20, 20, 20)), ball(20, (19, 19, 19)), "taxicab", None,
         1.0380029806259314, 1.0380029806259314),
        (ball(33, (19, 33, 22)), ball(33, (20, 33, 22)), "euclidean", None,
         0.350217, 0.3483278807706289),
        (ball(20, (20, 33, 22)), ball(40, (20, 33, 22)), "euclidean", None,
         15.117741, 12.040033513150455),
        (ball(20, (20, 33, 22)), ball(40, (20, 33, 22)), "chessboard", None,
         11.492719, 9.605067064083457),
        (ball(20, (20, 33, 22)), ball(40, (20, 33, 22)), "taxicab", None,
         20.214613, 12.432687531048186),
        (NOTHING, ball(40, (20, 33, 22)), "euclidean", None, INF, INF),
        (ball(20), NOTHING, "taxicab", None, INF, INF),
        (ball(33, (42, 45, 52), SPACING), ball(33, (43, 45, 52), SPACING), "euclidean", SPACING,
         0.4951, 0.4951),
        (NOTHING, NOTHING, "euclidean", None, NAN, NAN),
        (NOTHING, NOTHING, "euclidean", SPACING, NAN, NAN),
    ],
    ids=range(11),
)  # fmt: skip
def test_surface_distance(
    predicted: np.ndarray, truth: np.ndarray, norm: str, spacing: tuple[float, ...] | None,
    symmetric: float, directed: float,
) -> None:  # fmt: skip
    """test_surface_distance.py"""
    options = {"norm": norm, "convention": "monai"}
    close = {"rel": 1e-5, "nan_ok": True}
    if spacing == SPACING and truth.any():
        close["rel"] = 2e-4  # published with four places
    assert metrics.assd(truth, predicted, spacing, **options) == pytest.approx(symmetric, **close)
    assert metrics.asd(truth, predicted, spacing, **options) == pytest.approx(directed, **close)


def half_planes() -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = np.zeros((2, 480, 640), bool)
    truth[:, 60:] = predicted[:, 50:] = True
    return truth, predicted


def test_surface_dice_of_shifted_planes() -> None:
    """test_surface_dice.py: shifted by ten pixels, of the class and of the background."""
    truth, predicted = half_planes()
    wrong = 478 + 480 + 9 * 2
    expected = 1 - wrong / (480 * 4 + 588 * 2 + 578 * 2)
    of_background = 1 - wrong / (480 * 4 + 48 * 2 + 58 * 2)
    for spacing in (None, (0.85, 1.2)):
        assert metrics.nsd(truth, predicted, spacing, tolerance=0) == pytest.approx(expected)
        found = metrics.nsd(~truth, ~predicted, spacing, tolerance=0)
        assert found == pytest.approx(of_background)
        limit = 10 if spacing is None else 12
        rising = [
            metrics.nsd(truth, predicted, spacing, tolerance=t) for t in (0, 1, 9, limit, limit + 1)
        ]
        assert rising[0] < rising[1] < rising[2] < rising[3] == rising[4] == 1
    nothing = np.zeros_like(truth)
    assert math.isnan(metrics.nsd(nothing, nothing, tolerance=0))
    assert metrics.nsd(~nothing, ~nothing, tolerance=0) == 1


def test_surface_dice_of_shifted_spaces() -> None:
    """test_surface_dice.py in 3D."""
    truth, predicted = np.zeros((2, 200, 110, 80), bool)
    truth[..., 30:] = predicted[..., 20:] = True
    wrong = 200 * 110 + 198 * 108 + 9 * 200 * 2 + 9 * 108 * 2
    rims = 200 * 110 * 4 + (58 + 48) * 200 * 2 + (58 + 48) * 108 * 2
    assert metrics.nsd(truth, predicted, tolerance=0) == pytest.approx(1 - wrong / rims)
    rims = 200 * 110 * 4 + (28 + 18) * 200 * 2 + (28 + 18) * 108 * 2
    assert metrics.nsd(~truth, ~predicted, tolerance=0) == pytest.approx(1 - wrong / rims)


@pytest.mark.parametrize(
    ("norm", "tolerances", "wrong_of_background", "wrong"),
    [
        ("euclidean", (0, 0), 12, 6), ("euclidean", (2.8, 5.5), 3, 4), ("euclidean", (3, 6), 1, 2),
        ("chessboard", (0, 0), 12, 6), ("chessboard", (1, 4.999), 9, 6),
        ("chessboard", (2, 5), 3, 0),
        ("taxicab", (0, 0), 12, 6), ("taxicab", (1, 7), 9, 4), ("taxicab", (3, 9), 1, 0),
    ],
)  # fmt: skip
def test_surface_dice_of_two_lines(
    norm: str, tolerances: tuple[float, float], wrong_of_background: int, wrong: int
) -> None:
    """test_surface_dice.py, all norms: 84 rim pixels of the background, 6 of the lines."""
    truth, predicted = np.zeros((2, 10, 10), bool)
    predicted[1:4, 1] = truth[5:8, 6] = True
    options = {"norm": norm, "convention": "monai"}
    found = metrics.nsd(~truth, ~predicted, tolerance=tolerances[0], **options)
    assert found == pytest.approx(1 - wrong_of_background / 84)
    found = metrics.nsd(truth, predicted, tolerance=tolerances[1], **options)
    assert found == pytest.approx(1 - wrong / 6)


def test_surface_dice_of_absent_classes_and_bad_tolerances() -> None:
    """test_surface_dice.py: a class in one of them is 0, in none NaN; no nan, inf or -0.22."""
    labels, guesses = np.zeros((2, 80, 80), int)
    labels[10:20, 10:20], guesses[10:20, 10:20] = 2, 1
    found = metrics.measure(
        labels, guesses, ["nsd"], classes=4, include_background=True, tolerance=1
    )
    values = [found[k]["nsd"] for k in range(4)]
    assert values == pytest.approx([1, 0, 0, NAN], nan_ok=True)
    for tolerance in (INF, NAN, -0.22):
        with pytest.raises(ValueError, match="tolerance"):
            metrics.nsd(labels == 1, guesses == 1, tolerance=tolerance)


def test_surface_dice_with_subvoxels() -> None:
    """test_surface_dice.py: areas of marching cubes."""
    options = {"tolerance": 1, "convention": "deepmind"}
    truth, predicted = np.zeros((2, 128, 128, 128), bool)
    truth[50, 60, 70] = True
    assert metrics.nsd(truth, predicted, (3, 2, 1), **options) == 0
    predicted[50, 60, 72] = True
    assert metrics.nsd(np.zeros_like(truth), predicted, (3, 2, 1), **options) == 0
    assert metrics.nsd(truth, predicted, (3, 2, 1), **options) == pytest.approx(0.5)
    truth, predicted = np.zeros((2, 100, 100, 100), bool)
    truth[:50] = predicted[:51] = True
    found = metrics.nsd(truth, predicted, (2, 1, 1), **options)
    assert found == pytest.approx(0.836145, abs=1e-6)


def test_metrics_of_every_component() -> None:
    """CC metrics, of three of the files; those of distances take truth for prediction."""
    truth, predicted = np.zeros((2, 32, 32, 32), bool)
    predicted[10:15, 10:15, 10:15] = predicted[20:25, 20:25, 20:25] = True
    truth[11:16, 10:15, 10:15] = truth[21:26, 19:24, 20:25] = True
    assert metrics.per_component(truth, predicted, "hd").mean == pytest.approx(1.2071, abs=1e-4)
    truth = np.zeros_like(truth)
    truth[11:16, 10:15, 10:15] = truth[11:16, 19:24, 20:25] = True
    found = metrics.per_component(truth, predicted, "asd").mean
    assert found == pytest.approx(3.6829, abs=1e-4)
    truth, predicted = np.zeros((2, 32, 32), bool)
    predicted[10:15, 10:15] = predicted[20:25, 20:25] = True
    truth[10:15, 10:15] = truth[21:26, 19:24] = True
    assert metrics.per_component(truth, predicted, "hd").mean == pytest.approx(0.7071, abs=1e-4)
    assert metrics.per_component(truth, predicted, "asd").mean == pytest.approx(0.4504, abs=1e-4)
    truth, predicted = np.zeros((2, 64, 64, 64), bool)
    truth[20:25, 20:25, 20:25] = truth[40:45, 40:45, 40:45] = True
    predicted[21:26, 21:26, 21:26] = predicted[41:46, 39:44, 41:46] = True
    assert metrics.per_component(truth, predicted, "dice").mean == pytest.approx(0.512, abs=1e-4)
