"""Published weights: VGG16's, as ImageNet trained it, mapped into the networks built on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan

_BLOCK_STARTS = ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3))
_CAFFE_NAMES = tuple(f"conv{b}_{i}" for b, count in _BLOCK_STARTS for i in range(1, count + 1))
_HIDDEN = {"classifier.0": "fc6", "classifier.3": "fc7"}
_PLAIN = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
_WITH_NORM = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)
"""Where torchvision's VGG16 without and with batch norm keeps its convolutions; each norm
stands right behind one."""

_NORM_TENSORS = ("weight", "bias", "running_mean", "running_var")

_CAFFE_SCALE = 255 * 0.226
"""Networks of Caffe's time see blue, green, red from 0 to 255, centred; ours see red, green, blue
in units of the standard deviation, which is 0.229, 0.224, 0.225 of the range in ImageNet."""


@dataclass(frozen=True, slots=True)
class WeightMatch:
    """What became of published weights.

    matched: (published name, name in the network, note), the note says what was adapted.
    unused: published names without a place here. left: (name in the network, shape wanted,
    reason) of encoder weights that keep their random start.
    """

    matched: tuple[tuple[str, str, str], ...]
    unused: tuple[str, ...]
    left: tuple[tuple[str, tuple[int, ...], str], ...]

    def text(self) -> str:
        """The report in lines for a person."""
        lines = [f"{len(self.matched)} tensors taken over:"]
        lines += [f"  {a} -> {b}{f' ({note})' if note else ''}" for a, b, note in self.matched]
        lines += [f"  {name} keeps its random start: {why}" for name, _, why in self.left]
        if self.unused:
            lines.append(f"  not needed here: {', '.join(self.unused)}")
        return "\n".join(lines)


def take_published_weights(network: nn.Module, published: Mapping[str, Tensor]) -> WeightMatch:
    """Copy VGG16's weights into the encoder of FCN, SegNet, DeconvNet or the dilated front end.

    published: tensors under torchvision's names (`features.0.weight`, `classifier.0.weight`),
    with batch norm or without, or Caffe's (`conv1_1.weight`, `fc6.weight`), whose first layer
    is turned from blue, green, red of 0 to 255 to ours. It is adapted to other channel
    numbers: one channel gets the sum over red, green and blue, so that a grey image gives
    what its colour version would; n channels get the three in turn, scaled by 3 / n.
    Linear weights become convolution kernels. What does not fit in shape is left and said.
    Raises: BadPlan if the network has no such encoder, or nothing fits.
    """
    places = _encoder_places(network)
    if "features.1.weight" in published:
        places |= _norm_places(network)
    names = _canonical_names(published)
    weights = {names[name]: (name, tensor) for name, tensor in published.items()}
    matched: list[tuple[str, str, str]] = []
    left: list[tuple[str, tuple[int, ...], str]] = []
    for key, (target_name, target) in places.items():
        if key not in weights:
            left.append((target_name, tuple(target.shape), "the file has no such tensor"))
            continue
        name, tensor = weights.pop(key)
        is_first = key == "conv1_1.weight"
        if is_first and name == key and tensor.ndim == 4:
            tensor = tensor.flip(1) * _CAFFE_SCALE
        fitted, note = _fit(tensor, target, is_first=is_first)
        if fitted is None:
            left.append((target_name, tuple(target.shape), note))
            continue
        with torch.no_grad():
            target.copy_(fitted)
        matched.append((name, target_name, note))
    if not matched:
        raise BadPlan(
            f"none of the {len(published)} published tensors fits the network",
            "VGG16's weights at full width (width=64)",
            "The first misfit: " + (left[0][2] if left else "no encoder") + ".",
            code="weights-shape",
        )
    unused = tuple(name for name, _ in weights.values())
    return WeightMatch(tuple(matched), unused, tuple(left))


def _encoder_places(network: nn.Module) -> dict[str, tuple[str, Tensor]]:
    convolutions = [
        (name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)
    ]
    encoder = [(n, c) for n, c in convolutions if re.match(r"(blocks|encoder|front)\.", n)]
    names = [*_CAFFE_NAMES, "fc6", "fc7"]
    hidden = [(n, c) for n, c in convolutions if re.match(r"fc[67]\.", n)]
    places = [*encoder, *hidden][: len(names)]
    if len(encoder) < len(_CAFFE_NAMES) or any(c.kernel_size != (3, 3) for _, c in encoder[:13]):
        raise BadPlan(
            "the network has no VGG16 encoder that published weights could go into",
            "fcn-32s, fcn-16s, fcn-8s, fcn-8s-at-once, segnet, deconvnet or dilated",
            "Choose one of these, or train from a random start.",
            code="weights-network",
        )
    found: dict[str, tuple[str, Tensor]] = {}
    for key, (name, layer) in zip(names, places, strict=False):
        found[f"{key}.weight"] = (f"{name}.weight", layer.weight)
        if layer.bias is not None:
            found[f"{key}.bias"] = (f"{name}.bias", layer.bias)
    return found


def _norm_places(network: nn.Module) -> dict[str, tuple[str, Tensor]]:
    """The encoder's batch norms by the convolution that they follow: conv1_1.norm.weight, …"""
    norms = [
        (name, layer)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.BatchNorm2d) and re.match(r"(blocks|encoder|front)\.", name)
    ]
    return {
        f"{key}.norm.{part}": (f"{name}.{part}", getattr(layer, part))
        for key, (name, layer) in zip(_CAFFE_NAMES, norms, strict=False)
        for part in _NORM_TENSORS
    }


def _canonical_names(published: Mapping[str, Tensor]) -> dict[str, str]:
    """Published name -> Caffe's name of that tensor; names of other layers stay."""
    has_norm = "features.1.weight" in published
    layers = dict(_HIDDEN)
    for index, caffe in zip(_WITH_NORM if has_norm else _PLAIN, _CAFFE_NAMES, strict=True):
        layers[f"features.{index}"] = caffe
        if has_norm:
            layers[f"features.{index + 1}"] = f"{caffe}.norm"
    names = {}
    for name in published:
        layer, _, kind = name.rpartition(".")
        names[name] = f"{layers.get(layer, layer)}.{kind}"
    return names


def _fit(tensor: Tensor, target: Tensor, *, is_first: bool) -> tuple[Tensor | None, str]:
    if tensor.shape == target.shape:
        return tensor, ""
    wanted = "x".join(map(str, target.shape))
    given = "x".join(map(str, tensor.shape))
    if tensor.ndim == 2 and target.ndim == 4 and tensor.numel() == target.numel():
        return tensor.reshape(target.shape), "linear layer as convolution"
    is_adaptable = tensor.ndim == 4 and tensor.shape[0] == target.shape[0] and tensor.shape[1] == 3
    if is_first and is_adaptable and tensor.shape[2:] == target.shape[2:]:
        channels = target.shape[1]
        if channels == 1:
            return tensor.sum(dim=1, keepdim=True), "3 channels summed to 1"
        repeated = tensor[:, [index % 3 for index in range(channels)]]
        return repeated * (3 / channels), f"3 channels spread over {channels}"
    return None, f"it has the shape {wanted}, the published tensor {given}"
