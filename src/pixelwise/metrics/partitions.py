"""Metrics of partitions: Rand and information scores, split and merge, variation of information."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.object_overlaps import joint_counts
from pixelwise.core.errors import BadData
from pixelwise.metrics.inputs import as_labels, check_same_grid

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PartitionScore:
    """A score with its two parts: split is lowered by over-, merge by under-segmentation."""

    score: float
    split: float
    merge: float


@dataclass(frozen=True, slots=True)
class RandError:
    """Adapted Rand error with the precision and recall of pixel pairs."""

    error: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class InformationVariation:
    """Conditional entropies in bits: split H(predicted | truth), merge H(truth | predicted)."""

    split: float
    merge: float

    @property
    def total(self) -> float:
        """Variation of information, split + merge."""
        return self.split + self.merge


def v_rand(
    truth: Any, predicted: Any, *, alpha: float = 0.5, ignore_labels: Sequence[int] = (0,)
) -> PartitionScore:
    """Foreground-restricted Rand score, sum p_ij² / (alpha sum s_i² + (1 - alpha) sum t_j²).

    Pixels whose truth is in `ignore_labels` (0: membrane) are left out. score is the harmonic
    form for alpha 0.5; split = sum p² / sum t² with t the truth; merge = sum p² / sum s².
    Range 0 to 1. No pixel left -> NaN. Source: ISBI 2012 challenge, Arganda-Carreras 2015.
    """
    p, s, t = _fractions(truth, predicted, ignore_labels)
    if p.size == 0:
        return PartitionScore(math.nan, math.nan, math.nan)
    _check_alpha(alpha)
    both, in_predicted, in_truth = (float((x * x).sum()) for x in (p, s, t))
    score = both / (alpha * in_predicted + (1 - alpha) * in_truth)
    return PartitionScore(score, both / in_truth, both / in_predicted)


def v_info(
    truth: Any, predicted: Any, *, alpha: float = 0.5, ignore_labels: Sequence[int] = (0,)
) -> PartitionScore:
    """Foreground-restricted information score, I / (alpha H(predicted) + (1 - alpha) H(truth)).

    split = I / H(predicted), merge = I / H(truth). Range 0 to 1; both partitions of one
    piece -> 1. No pixel left -> NaN. Source: ISBI 2012 challenge, Arganda-Carreras 2015.
    """
    p, s, t = _fractions(truth, predicted, ignore_labels)
    if p.size == 0:
        return PartitionScore(math.nan, math.nan, math.nan)
    _check_alpha(alpha)
    h_s, h_t, h_joint = _entropy(s), _entropy(t), _entropy(p)
    mutual = max(h_s + h_t - h_joint, 0.0)
    mixed = alpha * h_s + (1 - alpha) * h_t
    return PartitionScore(
        mutual / mixed if mixed > 0 else 1.0,
        mutual / h_s if h_s > 0 else 1.0,
        mutual / h_t if h_t > 0 else 1.0,
    )


def adapted_rand_error(
    truth: Any, predicted: Any, *, ignore_labels: Sequence[int] = ()
) -> RandError:
    """1 - F1 of pixel pairs in one piece, every pixel against every other.

    Range 0 to 1. ignore_labels: values of the truth left out; scikit-image leaves out (0,) by
    default. Source: Arganda-Carreras 2015, as in scikit-image (self-pairs subtracted).
    """
    counts, in_predicted, in_truth = _counts(truth, predicted, ignore_labels)
    n = counts.sum()
    if n == 0:
        return RandError(math.nan, math.nan, math.nan)
    together, predicted_pairs, truth_pairs = (
        float((x * x).sum() - n) for x in (counts, in_predicted, in_truth)
    )
    precision = together / predicted_pairs if predicted_pairs else 1.0
    recall = together / truth_pairs if truth_pairs else 1.0
    total = precision + recall
    return RandError(1 - (2 * precision * recall / total if total else 0.0), precision, recall)


def variation_of_information(
    truth: Any, predicted: Any, *, ignore_labels: Sequence[int] = ()
) -> InformationVariation:
    """Conditional entropies in bits; 0 and 0 for equal partitions.

    ignore_labels: values of the truth left out. No pixel left -> NaN. Source: Meilă 2003, in the
    order of scikit-image (split, merge).
    """
    p, s, t = _fractions(truth, predicted, ignore_labels)
    if p.size == 0:
        return InformationVariation(math.nan, math.nan)
    h_joint = _entropy(p)
    return InformationVariation(max(h_joint - _entropy(t), 0.0), max(h_joint - _entropy(s), 0.0))


def _counts(
    truth: Any, predicted: Any, ignore_labels: Sequence[int]
) -> tuple[Floats, Floats, Floats]:
    """Pixels of every joint piece, of every predicted piece, and of every truth piece."""
    one, other = as_labels(truth, "truth"), as_labels(predicted, "predicted")
    check_same_grid(one, other)
    rows, columns, counts = joint_counts(one, other)
    kept = ~np.isin(rows, np.asarray(list(ignore_labels), dtype=np.int64))
    rows, columns, weights = rows[kept], columns[kept], counts[kept].astype(np.float64)
    _, row_of = np.unique(rows, return_inverse=True)
    _, column_of = np.unique(columns, return_inverse=True)
    sums = [np.asarray(np.bincount(i, weights), dtype=np.float64) for i in (column_of, row_of)]
    return weights, sums[0], sums[1]


def _fractions(
    truth: Any, predicted: Any, ignore_labels: Sequence[int]
) -> tuple[Floats, Floats, Floats]:
    p, s, t = _counts(truth, predicted, ignore_labels)
    n = p.sum()
    return p / n, s / n, t / n


def _entropy(fractions: Floats) -> float:
    positive = fractions[fractions > 0]
    return float(-(positive * np.log2(positive)).sum())


def _check_alpha(alpha: float) -> None:
    if not 0 <= alpha <= 1:
        raise BadData(f"alpha is {alpha:g}", "0 to 1", "Take 0.5.", code="bad-alpha")
