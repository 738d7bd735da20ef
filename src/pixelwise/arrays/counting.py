"""Pixel counts of label pairs in one pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.compiled import compiled, prepare

Labels = npt.NDArray[np.uint8]
WORD = 8


def count_pairs(truth: Labels, predicted: Labels, n_classes: int) -> npt.NDArray[np.int64]:
    """counts[truth, predicted], 64-bit, of pixels whose two values are below `n_classes`.

    Pixels with any other value in either array are left out. Both arrays C-contiguous.
    """
    word = np.zeros(1, np.uint64)
    prepare("counting loops", lambda: _count(word, word, 2))
    n_words = truth.size // WORD
    flat_truth, flat_predicted = truth.reshape(-1), predicted.reshape(-1)
    counts = _count(
        flat_truth[: n_words * WORD].view(np.uint64),
        flat_predicted[: n_words * WORD].view(np.uint64),
        n_classes,
    )
    rest = slice(n_words * WORD, None)
    for t, p in zip(flat_truth[rest].tolist(), flat_predicted[rest].tolist(), strict=True):
        counts[min(t, n_classes), min(p, n_classes)] += 1
    return np.ascontiguousarray(counts[:n_classes, :n_classes])


@compiled
def _count(
    truth: npt.NDArray[np.uint64], predicted: npt.NDArray[np.uint64], n_classes: int
) -> npt.NDArray[np.int64]:
    """Eight pixels at a time; equal neighbouring words are only counted, not looked into."""
    width = n_classes + 1
    tables = np.zeros((4, width * width), np.int64)
    class_of = np.minimum(np.arange(256), n_classes)
    low = np.uint64(255)
    shift = np.uint64(8)
    i = 0
    n = truth.size
    while i < n:
        t, p = truth[i], predicted[i]
        j = i + 1
        while j < n and truth[j] == t and predicted[j] == p:
            j += 1
        repeats = j - i
        for pixel in range(8):
            index = class_of[np.int64(t & low)] * width + class_of[np.int64(p & low)]
            tables[pixel & 3, index] += repeats
            t >>= shift
            p >>= shift
        i = j
    table = tables[0] + tables[1] + tables[2] + tables[3]
    square: npt.NDArray[np.int64] = table.reshape(width, width)
    return square
