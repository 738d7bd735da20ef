"""From an opened image to written labels: tiles in, regions out, a confidence for the whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pixelwise.core.image import Sink, Source
from pixelwise.core.progress import SILENT, Listener
from pixelwise.inference.predictor import Normalise, TileAnswer


class Answers(Protocol):
    """What labels an image region by region: a predictor, on whatever grid it works."""

    def predict(self, source: Source, normalise: Normalise) -> Iterator[TileAnswer]: ...


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """What is known about a labelled image as a whole.

    confidence: mean over pixels of the probability of the label given, 1/k to 1.
    class_pixels: pixels given to each class.
    """

    confidence: float
    class_pixels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelOutput:
    """Where the answers go: labels, and class probabilities if wanted.

    values: what is written for each class id (the training masks' own values), else the ids.
    """

    labels: Sink
    probabilities: Sink | None = None
    values: tuple[int, ...] | None = None


def label_image(
    predictor: Answers,
    source: Source,
    normalise: Normalise,
    output: LabelOutput,
    *,
    n_classes: int,
    listener: Listener = SILENT,
) -> LabelledImage:
    """Label an image region by region; memory does not grow with it beyond source and sink."""
    n_pixels, done = math.prod(source.header.shape), 0
    counts = np.zeros(n_classes, dtype=np.int64)
    total = 0.0
    table = None if output.values is None else np.asarray(output.values)
    for answer in predictor.predict(source, normalise):
        written = answer.labels if table is None else table[answer.labels]
        output.labels.write(answer.region, written)
        if output.probabilities is not None:
            output.probabilities.write(answer.region, answer.probabilities)
        counts += np.bincount(answer.labels.reshape(-1), minlength=n_classes)
        total += float(answer.probabilities.max(axis=0).sum(dtype=np.float64))
        done += answer.labels.size
        if answer.labels.size < n_pixels:
            listener.advance(done, n_pixels, f"pixels of {source.header.path.name}")
    return LabelledImage(total / max(n_pixels, 1), tuple(int(n) for n in counts))
