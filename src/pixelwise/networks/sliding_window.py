"""The sliding-window classifier of Ciresan et al.: one window, one pixel; here also dense."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.networks import NETWORKS, Field, NetworkIO, check_size
from pixelwise.networks.dense import DilatedAverage, to_dense
from pixelwise.networks.layers import initialise, require_dims
from pixelwise.networks.recipe import Recipe

WINDOW = 95
_KERNELS = (4, 5, 4, 4)
_HIDDEN = 200

Pooling = Literal["max", "average"]


def window_classifier(
    io: NetworkIO, *, width: int = 48, downsampling: Pooling = "max"
) -> nn.Sequential:
    """The network N4: 95 x 95 pixels in, the classes of the middle pixel out (n, k).

    Exact at width 48: 219,290 parameters for 1 channel and 2 classes, 121,464,592
    multiply-accumulates for each pixel that is labelled.
    Source: Ciresan, Giusti, Gambardella, Schmidhuber, NIPS 2012, table 1.
    """
    layers: list[nn.Module] = []
    inputs = io.in_channels
    for kernel in _KERNELS:
        layers += [nn.Conv2d(inputs, width, kernel), nn.ReLU()]
        layers.append(nn.MaxPool2d(2) if downsampling == "max" else nn.AvgPool2d(2))
        inputs = width
    layers += [
        nn.Flatten(),
        nn.Linear(width * 9, _HIDDEN),
        nn.ReLU(),
        nn.Linear(_HIDDEN, io.out_channels),
    ]
    classifier = nn.Sequential(*layers)
    initialise(classifier)
    return classifier


@NETWORKS.register(
    "sliding-window",
    dimensions=(2,),
    small={"width": 4},
    recipe=Recipe(
        learning_rate=1e-3,
        patch=WINDOW,
        batch=64,
        foreground_share=0.25,
        sentence="A window for every pixel that is learned from, as in the paper.",
    ),
)
def sliding_window(io: NetworkIO, *, width: int = 48, downsampling: Pooling = "max") -> nn.Module:
    """The sliding-window classifier, trained pixel by pixel or dense, labelling dense.

    Patches of 95 x 95 make the training that of the paper: a window for every pixel drawn.
    Larger patches train all windows in them at once, at a fraction of the work for each.
    Source: Ciresan et al., NIPS 2012; one network here instead of an average of several.
    """
    require_dims(io, "sliding-window", (2,))
    return SlidingWindow(window_classifier(io, width=width, downsampling=downsampling))


class SlidingWindow(nn.Module):
    """The dense form of `window_classifier`; a single window goes through the strided form."""

    def __init__(self, classifier: nn.Sequential) -> None:
        super().__init__()
        self.field = Field(margin=WINDOW // 2, smallest=WINDOW, reach=WINDOW // 2)
        self.dense = to_dense(classifier, (WINDOW, WINDOW))

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, y, x) -> logits (n, k, y - 94, x - 94)."""
        check_size(self.field, images.shape[2:], "sliding-window")
        if tuple(images.shape[2:]) == (WINDOW, WINDOW):
            return self._strided(images)
        values: Tensor = self.dense(images)
        return values

    def _strided(self, values: Tensor) -> Tensor:
        """The same weights with pooling strides instead of dilations: far less work."""
        for layer in self.dense:
            if isinstance(layer, nn.Conv2d):
                values = F.conv2d(values, layer.weight, layer.bias)
            elif isinstance(layer, nn.MaxPool2d):
                values = F.max_pool2d(values, 2)
            elif isinstance(layer, DilatedAverage):
                values = F.avg_pool2d(values, 2)
            else:
                values = layer(values)
        return values


def label_by_windows(classifier: nn.Module, image: Tensor, *, batch: int = 64) -> Tensor:
    """Every pixel labelled by its own window, one after the other: the slow way.

    Shape: (1, c, y, x) -> (1, k, y - 94, x - 94), the same as the dense form gives.
    """
    windows = image.unfold(2, WINDOW, 1).unfold(3, WINDOW, 1)
    rows, columns = windows.shape[2:4]
    answers = []
    for row in range(rows):
        line = windows[0, :, row].transpose(0, 1)
        answers += [classifier(part).flatten(1) for part in torch.split(line, batch)]
    return torch.cat(answers).reshape(1, rows, columns, -1).permute(0, 3, 1, 2)
