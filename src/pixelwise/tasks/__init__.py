"""One kind of answer per file: how labels become training targets, and outputs labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pixelwise.core.registry import Registry

TensorFunction = Callable[[Tensor], Tensor]
Planes = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Task:
    """How many outputs a network needs, and the way from labels to target and back.

    encode_target: (n, …) labels -> what the loss compares the logits with.
    probabilities: (n, k, …) logits -> (n, k, …) float32 in [0, 1].
    decode_output: (n, k, …) probabilities -> (n, …) labels.
    decode_logits: (n, k, …) logits -> the same labels without computing probabilities, None
    where there is no shorter way.
    overlaps: labels are sets of classes (bit k of a label stands for class k), not class ids.
    n_maps: how many of the outputs, the last ones, are maps of single objects; encode_target and
    decode_output do without them.
    decode_objects: (k, [z,] y, x) probabilities of a whole image and its class ids -> numbers of
    its objects, None where a task knows no objects.
    """

    n_outputs: int
    encode_target: TensorFunction
    probabilities: TensorFunction
    decode_output: TensorFunction
    overlaps: bool = False
    decode_logits: TensorFunction | None = None
    n_maps: int = 0
    decode_objects: Callable[[Planes, Labels], Numbers] | None = None


TASKS: Registry[Callable[..., Task]] = Registry("task", "pixelwise.tasks")


def build_task(name: str, n_classes: int, options: dict[str, object]) -> Task:
    """Build a registered task for a number of classes."""
    task: Task = TASKS.build(name, n_classes, options=options)
    return task
