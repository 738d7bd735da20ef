"""What needs a whole image at once: its tiles are put together before objects are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelwise.core.image import Source, whole_region
from pixelwise.inference.predictor import Normalise, Predictor, TileAnswer
from pixelwise.inference.resampled import GridPredictor
from pixelwise.tasks import Task


@dataclass(frozen=True, slots=True)
class WholeImage:
    """Answers for a whole image at once from one that answers tile by tile.

    The probabilities of all tiles are held in memory (4 bytes per output and pixel). Objects
    are found by the task, if it knows any; what is in none of them is background.
    """

    answers: Predictor | GridPredictor
    task: Task

    @property
    def tiles(self) -> Any:
        """What the predictor below counts of its tiles."""
        return self.answers.tiles

    def predict(self, source: Source, normalise: Normalise) -> Iterator[TileAnswer]:
        """Label a whole image; the one answer covers all of it."""
        shape = source.header.shape
        probabilities = np.empty((self.task.n_outputs, *shape), np.float32)
        labels = np.empty(shape, np.uint8)
        for answer in self.answers.predict(source, normalise):
            probabilities[(slice(None), *answer.region)] = answer.probabilities
            labels[answer.region] = answer.labels
        objects = None
        if self.task.decode_objects is not None:
            objects = self.task.decode_objects(probabilities, labels)
            labels = np.where(objects > 0, labels, 0).astype(np.uint8)
        n_classes = self.task.n_outputs - self.task.n_maps
        yield TileAnswer(whole_region(shape), labels, probabilities[:n_classes], objects)
