"""What needs a whole image at once: its tiles are put together before objects are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pixelwise.core.image import Source, whole_region
from pixelwise.inference.predictor import Normalise, TileAnswer
from pixelwise.tasks import Task

Planes = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

Improve = Callable[[Planes, Labels, Planes | None], Labels]
"""Probabilities (k, [z,] y, x), class ids, and the normalised image (c, …) -> class ids."""


class Answers(Protocol):
    """What labels an image region by region."""

    def predict(self, source: Source, normalise: Normalise) -> Iterator[TileAnswer]: ...


@dataclass(frozen=True, slots=True)
class WholeImage:
    """Answers for a whole image at once from one that answers tile by tile.

    The probabilities of all tiles are held in memory (4 bytes per output and pixel). improve:
    what is done to the labels of the whole image, if anything; needs_image: whether it is
    given the image too. Objects are found by the task, if it knows any.
    """

    answers: Answers
    task: Task
    improve: Improve | None = None
    needs_image: bool = False

    def predict(self, source: Source, normalise: Normalise) -> Iterator[TileAnswer]:
        """Label a whole image; the one answer covers all of it."""
        shape = source.header.shape
        probabilities = np.empty((self.task.n_outputs, *shape), np.float32)
        labels = np.empty(shape, np.uint8)
        for answer in self.answers.predict(source, normalise):
            probabilities[(slice(None), *answer.region)] = answer.probabilities
            labels[answer.region] = answer.labels
        n_classes = self.task.n_outputs - self.task.n_maps
        if self.improve is not None:
            image = normalise(source.read()) if self.needs_image else None
            labels = self.improve(probabilities[:n_classes], labels, image)
        objects = None
        if self.task.decode_objects is not None:
            objects = self.task.decode_objects(probabilities, labels)
            labels = np.where(objects > 0, labels, 0).astype(np.uint8)
        yield TileAnswer(whole_region(shape), labels, probabilities[:n_classes], objects)
