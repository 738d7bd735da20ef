"""Doubt by hand on small label maps, and the order in which places are listed."""

from __future__ import annotations

import numpy as np
import pytest

from pixelwise.evaluation.label_doubts import find_doubts, rank_doubts


def scene(*, believed: np.ndarray, sure: float = 0.9) -> np.ndarray:
    """Probabilities (3, y, x) that give `sure` to one class and share the rest."""
    probabilities = np.full((3, *believed.shape), (1 - sure) / 2, np.float32)
    np.put_along_axis(probabilities, believed[None].astype(int), sure, axis=0)
    return probabilities


def labels() -> np.ndarray:
    truth = np.zeros((30, 40), np.uint8)
    truth[2:10, 2:10] = 1
    truth[2:10, 20:28] = 1
    truth[18:26, 2:10] = 2
    return truth


def test_disbelief_of_an_object_is_the_mean_over_its_inside() -> None:
    truth, believed = labels(), labels()
    believed[2:10, 20:28] = 2
    places = find_doubts(truth, scene(believed=believed))
    objects = {(p.labelled, p.corner): p for p in places if p.is_object}
    assert objects[1, (2, 2)].disbelief == pytest.approx(0.1)
    assert objects[1, (2, 20)].disbelief == pytest.approx(0.95)
    assert objects[1, (2, 20)].believed == 2
    assert objects[1, (2, 20)].size == (8, 8)
    index, first = rank_doubts([places])[0]
    assert (index, first.corner, first.believed) == (0, (2, 20), 2)
    assert first.score == pytest.approx(0.95 * 64 / (64 + 0.25 * 64))


def test_a_forgotten_object_is_a_place_of_the_background() -> None:
    truth, believed = labels(), labels()
    truth[18:26, 2:10] = 0
    ranked = rank_doubts([[], find_doubts(truth, scene(believed=believed))])
    index, first = ranked[0]
    assert (index, first.labelled, first.believed, first.corner) == (1, 0, 2, (18, 2))
    assert not first.is_object


def test_borders_and_void_are_no_doubts() -> None:
    truth, believed = labels(), np.roll(labels(), 1, axis=1)
    truth[18:26, 2:10] = 255
    ranked = rank_doubts([find_doubts(truth, scene(believed=believed))])
    # one column of eight pixels at either side of each object is less than 15 % of it
    assert all(place.is_object for _, place in ranked)
    assert all(place.score < 0.2 for _, place in ranked)
    assert len(ranked) == 2


def test_volumes_and_nothing_at_all() -> None:
    truth = np.zeros((6, 8, 8), np.uint8)
    truth[1:5, 1:5, 1:5] = 1
    probabilities = np.stack([np.full(truth.shape, 0.8), np.full(truth.shape, 0.2)])
    (place,) = [p for p in find_doubts(truth, probabilities) if p.is_object]
    assert (place.believed, place.n_pixels, place.corner) == (0, 64, (1, 1, 1))
    assert find_doubts(np.full((4, 4), 255, np.uint8), probabilities[:, 0, :4, :4]) == []
    assert rank_doubts([]) == []
