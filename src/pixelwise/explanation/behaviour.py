"""How a network behaves before it has learned anything: even upsampling, borders, activations."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pixelwise.core.records import Record
from pixelwise.networks import field_of

_EVEN = 0.02
"""Relative unevenness below which no checkerboard can be seen."""

_NOTICEABLE = 0.01
"""Relative change of the answer from which the border counts as felt."""

_DEAD_SHARE, _VANISHED, _EXPLODED = 0.5, 1e-3, 1e3


class UpsamplingCheck(Record):
    """Whether an upsampling layer answers a constant map evenly.

    unevenness: standard deviation over neighbouring output pixels, relative to their mean
    size, per channel and then averaged. overlap: kernel taps that fall on one output pixel
    (one number if even). `is_even_by_design`: the taps are even, so weights can learn it away.
    """

    module: str
    kind: str
    unevenness: float
    overlap: tuple[int, ...]
    is_even_by_design: bool
    verdict: str


class BorderInfluence(Record):
    """How far the padding inside a network is felt from the border of its answer.

    change[i]: mean absolute change of the answer at a distance of i pixels from the border,
    against the same pixels with true surroundings, relative to the answer's spread.
    felt: first distance from which on the change stays below 1 %.
    """

    change: tuple[float, ...]
    felt: int


class ActivationCheck(Record):
    """One activation layer at its start: spread of its output, share of dead channels."""

    module: str
    spread: float
    dead_share: float
    verdict: str


def check_upsampling(
    network: nn.Module, n_channels: int, n_dims: int = 2
) -> tuple[UpsamplingCheck, ...]:
    """Feed every layer that enlarges its map a constant, and see whether the answer is even.

    Source of the concern: Odena, Dumoulin, Olah 2016, on overlapping transposed convolutions.
    """
    twin = copy.deepcopy(network).float().eval()
    found: list[tuple[str, nn.Module, Tensor]] = []
    handles = [
        module.register_forward_hook(_enlargement(name, found))
        for name, module in twin.named_modules()
        if not any(module.children())
    ]
    size = max(field_of(network).valid_size(64), 64)
    with torch.no_grad():
        twin(torch.randn(1, n_channels, *(size,) * n_dims))
    for handle in handles:
        handle.remove()
    return tuple(_check_layer(name, layer, sample) for name, layer, sample in found)


def border_influence(
    network: nn.Module, n_channels: int, n_dims: int = 2, *, size: int = 128
) -> BorderInfluence:
    """Compare the answer for a piece of noise alone with the answer for it in its surroundings.

    A valid network pads nothing, so nothing changes. Random weights as given, norms in
    evaluation mode.
    """
    field = field_of(network)
    twin = copy.deepcopy(network).float().eval()
    step = max(field.alignment, 1)
    margin = -(-size // step) * step
    inner = field.valid_size(-(-size // step) * step)
    outer = field.valid_size(inner + 2 * margin)
    generator = torch.Generator().manual_seed(0)
    scene = torch.randn(1, n_channels, *(outer,) * n_dims, generator=generator)
    piece = _cut(scene, margin, inner)
    with torch.no_grad():
        alone = _scores(twin(piece))
        whole = _scores(twin(scene))
    length = alone.shape[-1]
    reference = _cut(whole, margin, length)
    spread = float(reference.std()) or 1.0
    difference = (alone - reference).abs().mean(dim=(0, 1)) / spread
    distances = [
        torch.minimum(index, length - 1 - index)
        for index in torch.meshgrid(*[torch.arange(length)] * n_dims, indexing="ij")
    ]
    distance = torch.stack(distances).amin(dim=0)
    curve = [float(difference[distance == i].mean()) for i in range(length // 2)]
    felt = max((i + 1 for i, value in enumerate(curve) if value >= _NOTICEABLE), default=0)
    return BorderInfluence(change=tuple(round(value, 5) for value in curve), felt=felt)


def check_activations(
    network: nn.Module, n_channels: int, n_dims: int = 2, *, size: int = 64
) -> tuple[ActivationCheck, ...]:
    """Pass unit noise through a network in training mode: which activations die or explode?

    A channel is dead if it is 0 (or constant) everywhere in a batch of four images.
    """
    twin = copy.deepcopy(network).float().train()
    found: list[ActivationCheck] = []
    kinds = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.PReLU, nn.Hardswish, nn.ReLU6)

    def note(name: str) -> object:
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            flat = output.detach().transpose(0, 1).flatten(1)
            dead = float((flat.std(dim=1) == 0).float().mean())
            found.append(_judge_activation(name, float(flat.std()), dead))

        return hook

    for name, module in twin.named_modules():
        if isinstance(module, kinds):
            module.register_forward_hook(note(name))  # type: ignore[arg-type]  # a hook's type
    generator = torch.Generator().manual_seed(0)
    edge = field_of(network).valid_size(size)
    with torch.no_grad():
        twin(torch.randn(4, n_channels, *(edge,) * n_dims, generator=generator))
    return tuple(found)


def _judge_activation(name: str, spread: float, dead: float) -> ActivationCheck:
    if not spread < _EXPLODED:
        verdict = "explodes"
    elif spread < _VANISHED:
        verdict = "vanishes"
    elif dead > _DEAD_SHARE:
        verdict = "mostly dead"
    else:
        verdict = "lively"
    return ActivationCheck(
        module=name, spread=round(spread, 5), dead_share=round(dead, 4), verdict=verdict
    )


def _enlargement(name: str, found: list[tuple[str, nn.Module, Tensor]]) -> object:
    def hook(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        source = inputs[0] if inputs else None
        if isinstance(source, Tensor) and isinstance(output, Tensor) and source.ndim > 2:
            is_larger = all(b >= 1.5 * a for a, b in zip(source.shape[2:], output.shape[2:]))
            if is_larger and len(inputs) == 1:
                found.append((name, module, source))

    return hook


def _check_layer(name: str, layer: nn.Module, sample: Tensor) -> UpsamplingCheck:
    n_dims = sample.ndim - 2
    probe = torch.ones(1, sample.shape[1], *(12,) * n_dims)
    with torch.no_grad():
        answer = layer(probe)
    answer = _cut(answer, answer.shape[-1] // 3, answer.shape[-1] // 3)
    flat = answer.flatten(2)[0]
    scale = flat.abs().mean(dim=1).clamp_min(1e-12)
    unevenness = float((flat.std(dim=1) / scale).mean())
    overlap = _overlap(layer)
    is_even = len(set(overlap)) <= 1
    if unevenness < _EVEN:
        verdict = "even"
    elif is_even:
        verdict = "uneven at the start, since random taps differ; training can even it out"
    else:
        verdict = "uneven by design: the kernel is no multiple of the stride"
    return UpsamplingCheck(
        module=name,
        kind=type(layer).__name__,
        unevenness=round(unevenness, 5),
        overlap=overlap,
        is_even_by_design=is_even,
        verdict=verdict,
    )


def _overlap(layer: nn.Module) -> tuple[int, ...]:
    if not isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d):
        return (1,)
    counts = set()
    for kernel, stride in zip(layer.kernel_size, layer.stride, strict=True):
        counts |= {len(range(phase, kernel, stride)) for phase in range(stride)}
    return tuple(sorted(counts))


def _cut(values: Tensor, start: int, length: int) -> Tensor:
    for axis in range(2, values.ndim):
        values = values.narrow(axis, start, length)
    return values


def _scores(answer: Tensor | Sequence[Tensor]) -> Tensor:
    return answer if isinstance(answer, Tensor) else answer[0]
