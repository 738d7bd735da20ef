"""Metrics in a training loop equal the same metrics case by case, alone and in torchmetrics."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
import torch

from pixelwise import metrics
from pixelwise.core.errors import BadData, BadPlan

torchmetrics = pytest.importorskip("torchmetrics")


def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Three batches of (preds, target) with three classes; the first is perfect."""
    generator = np.random.default_rng(0)
    target = generator.integers(0, 3, (3, 2, 12, 14))
    preds = np.where(generator.random(target.shape) < 0.3, 0, target)
    preds[0] = target[0]
    target[2, 1][target[2, 1] == 2] = 1  # class 2 is invented there
    return [(torch.tensor(p), torch.tensor(t)) for p, t in zip(preds, target, strict=True)]


def by_hand(name: str, **options: object) -> float:
    """Mean over cases of the defined values, then over classes."""
    cases = [(p, t) for preds, target in batches() for p, t in zip(preds, target, strict=True)]
    rows = [
        [value[name] for value in metrics.measure(t, p, [name], classes=3, **options).values()]
        for p, t in cases
    ]
    return float(np.nanmean(np.nanmean(np.array(rows), axis=0)))


@pytest.mark.parametrize("name", ["dice", "iou", "hd95", "nsd:tolerance=1"])
def test_a_collection_gives_what_single_cases_give(name: str) -> None:
    options = {"one_empty": "diagonal"} if name == "hd95" else {}
    own = metrics.RunningMetric(name, n_classes=3)
    theirs = metrics.as_torchmetric(name, n_classes=3)
    for preds, target in batches():
        own.update(preds, target)
        theirs.update(preds, target)
    assert own.compute() == pytest.approx(by_hand(name, **options), rel=1e-12)
    assert float(theirs.compute()) == pytest.approx(own.compute(), rel=1e-6)


def test_metrics_that_look_alike_at_first_are_kept_apart() -> None:
    """Dice and IoU of a perfect batch are equal; a collection must not share their states."""
    collection = torchmetrics.MetricCollection(
        {
            "dice": metrics.as_torchmetric("dice", n_classes=3),
            "iou": metrics.as_torchmetric("iou", n_classes=3),
            "distance": metrics.as_torchmetric("hd95", n_classes=3),
            "pooled": metrics.as_torchmetric("dice", n_classes=3, aggregate="pooled"),
            "torchmetrics' own": torchmetrics.classification.MulticlassJaccardIndex(num_classes=3),
        }
    )
    first = collection(*batches()[0])
    assert float(first["dice"]) == float(first["iou"]) == 1
    for preds, target in batches()[1:]:
        collection.update(preds, target)
    found = collection.compute()
    assert float(found["dice"]) == pytest.approx(by_hand("dice"))
    assert float(found["iou"]) == pytest.approx(by_hand("iou"))
    assert float(found["dice"]) > float(found["iou"])
    every = [torch.cat(tensors) for tensors in zip(*batches(), strict=True)]
    pooled = metrics.mean_dice(list(every[1]), list(every[0]), classes=3, include_background=False)
    assert float(found["pooled"]) == pytest.approx(pooled)
    collection.reset()
    with pytest.warns(UserWarning, match="before the"):
        assert math.isnan(float(collection["dice"].compute()))


def test_processes_that_merge_give_what_one_would_have_given() -> None:
    """States of two workers, the second with other cases, joined as torchmetrics joins them."""
    whole, workers = metrics.as_torchmetric("iou", n_classes=3), []
    for preds, target in batches():
        whole.update(preds, target)
        worker = metrics.as_torchmetric("iou", n_classes=3)
        worker.update(preds, target)
        workers.append(worker)
    for worker in workers[1:]:
        workers[0].merge_state(worker)
    assert float(workers[0].compute()) == pytest.approx(float(whole.compute()))


def test_gathering_of_several_processes() -> None:
    """What a synchronisation over processes does: gather every state, then reduce it."""
    whole, worker = (metrics.as_torchmetric("dice", n_classes=3) for _ in range(2))
    every = batches()
    for preds, target in (every[1], every[1]):
        whole.update(preds, target)
    worker.update(*every[1])
    worker.dist_sync_fn = lambda state, group=None: [state, state]
    worker.distributed_available_fn = lambda: True
    assert float(worker.compute()) == pytest.approx(float(whole.compute()))


def test_copies_and_pickles() -> None:
    one = metrics.as_torchmetric("dice", n_classes=3)
    one.update(*batches()[1])
    value = float(one.compute())
    assert float(pickle.loads(pickle.dumps(one)).compute()) == value  # noqa: S301 - our own
    assert float(copy.deepcopy(one).compute()) == value
    assert one.higher_is_better is True
    assert metrics.as_torchmetric("hd95", n_classes=3).higher_is_better is False


def test_scores_of_classes_and_bad_input() -> None:
    preds, target = batches()[1]
    scores = torch.nn.functional.one_hot(preds, 3).movedim(-1, 1).float()
    one, other = (metrics.RunningMetric("dice", n_classes=3) for _ in range(2))
    one.update(scores, target)
    other.update(preds, target)
    assert one.compute() == other.compute()
    with pytest.raises(BadData, match="batch axis"):
        one.update(preds[0, 0], target[0, 0])
    with pytest.raises(BadPlan, match="pooled"):
        metrics.as_torchmetric("hd95", n_classes=3, aggregate="pooled")
    with pytest.raises(BadPlan, match="Did you mean"):
        metrics.RunningMetric("dise", n_classes=3)
