"""Measures what a network costs on this machine, in the arithmetic that is fastest here."""

from __future__ import annotations

import time

import torch
from torch import nn

from pixelwise.core.plan import PartSection
from pixelwise.core.quantities import format_bytes
from pixelwise.core.runtime import MEMORY_FORMATS, has_bfloat16, lay_out
from pixelwise.losses import LOSSES, LossFunction
from pixelwise.networks import NetworkIO, build_network, field_of, training_loss
from pixelwise.planning.candidate import Candidate, Measurement

_TRIAL_IMAGES = 2
_NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.GroupNorm,
    nn.LayerNorm,
)
_ARITHMETIC = (
    ("bfloat16", "channels_last"),
    ("float32", "channels_last"),
    ("float32", "contiguous"),
)
_FLOAT_BYTES = 4
_COPIES = 5
"""Weights, averaged weights, gradients and the two moments of the optimizer."""


class Probe:
    """Times candidates; picks the arithmetic with the first one of a name and keeps it."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        self._arithmetic: dict[str, tuple[str, str]] = {}
        self._sentence = ""

    def __call__(self, candidate: Candidate) -> Measurement:
        """One training step and one prediction of a candidate, after a warm-up."""
        network = _build(candidate.network, candidate)
        name = candidate.network.name
        if name not in self._arithmetic:
            self._arithmetic[name] = self._choose_arithmetic(network, candidate)
        arithmetic = self._arithmetic[name]
        precision, memory_format = arithmetic
        trial = min(_TRIAL_IMAGES, candidate.batch)
        step, n_saved = _time_step(network, candidate, arithmetic, trial, repeats=2)
        forward = _time_forward(network, candidate, arithmetic, trial)
        n_parameters = sum(p.numel() for p in network.parameters())
        pixels = trial
        for length in candidate.patch:
            pixels *= length
        n_bytes = n_parameters * _FLOAT_BYTES * _COPIES + n_saved // trial * candidate.batch * 2
        return Measurement(
            step_seconds=step / trial * candidate.batch,
            pixels_per_second=pixels / forward,
            training_bytes=n_bytes,
            n_parameters=n_parameters,
            precision=precision,
            memory_format=memory_format,
            sentence=self._sentence,
            has_norm=any(isinstance(layer, _NORMS) for layer in network.modules()),
        )

    def _choose_arithmetic(self, network: nn.Module, candidate: Candidate) -> tuple[str, str]:
        """The fastest of what is permitted; leaves a sentence on the others."""
        permitted = [
            (precision, layout)
            for precision, layout in _ARITHMETIC
            if candidate.precision == precision
            or (candidate.precision is None and (precision == "float32" or has_bfloat16()))
            if candidate.memory_format in (layout, None)
        ]
        if len(permitted) < 2:
            self._sentence = "you asked for it"
            asked = candidate.precision or "float32", candidate.memory_format or "contiguous"
            return permitted[0] if permitted else asked
        seconds = {}
        for arithmetic in permitted:
            seconds[arithmetic], _ = _time_step(network, candidate, arithmetic, 1, repeats=1)
        chosen = min(seconds, key=lambda key: seconds[key])
        others = [
            f"{precision} {memory_format} {value / seconds[chosen]:.1f} times as long"
            for (precision, memory_format), value in seconds.items()
            if (precision, memory_format) != chosen
        ]
        fastest = f"{seconds[chosen]:.2f} s"
        self._sentence = f"one image takes {fastest} this way, {', '.join(others)}"
        return chosen


def _build(part: PartSection, candidate: Candidate) -> nn.Module:
    io = NetworkIO(candidate.n_dims, candidate.n_channels, candidate.n_classes)
    with torch.random.fork_rng(devices=[]):
        return build_network(part.name, io, dict(part.options))


def _time_step(
    network: nn.Module,
    candidate: Candidate,
    arithmetic: tuple[str, str],
    n_images: int,
    *,
    repeats: int,
) -> tuple[float, int]:
    precision, layout = arithmetic
    memory_format = MEMORY_FORMATS[layout, candidate.n_dims]
    lay_out(network, memory_format)
    network.train()
    images, target = _random_batch(candidate, network, n_images)
    images = images.contiguous(memory_format=memory_format)
    loss_function = LOSSES.build(candidate.loss.name, options=dict(candidate.loss.options))
    if LOSSES.find(candidate.loss.name).facts.get("targets") == "regions":
        loss_function = _of_planes(loss_function, candidate.n_classes)
    seen: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    best = float("inf")
    for repeat in range(repeats + 1):
        started = time.perf_counter()
        seen.clear()
        with (
            torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"),
            torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        ):
            outputs = network(images)
        finest = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
        wanted = target[(slice(None), *(slice(0, n) for n in finest.shape[2:]))]
        loss = training_loss(loss_function, outputs, wanted, torch.ones_like(wanted).bool())
        torch.autograd.backward(loss)
        network.zero_grad(set_to_none=True)
        if repeat:
            best = min(best, time.perf_counter() - started)
    return best, sum(seen.values())


def _of_planes(loss: LossFunction, n_regions: int) -> LossFunction:
    """A loss of regions that is given class ids: regions that happen not to overlap."""

    def of_ids(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        planes = torch.nn.functional.one_hot(target, n_regions).movedim(-1, 1)
        return loss(logits, planes, valid)

    return of_ids


def _time_forward(
    network: nn.Module, candidate: Candidate, arithmetic: tuple[str, str], n_images: int
) -> float:
    precision, layout = arithmetic
    network.eval()
    images, _ = _random_batch(candidate, network, n_images)
    images = images.contiguous(memory_format=MEMORY_FORMATS[layout, candidate.n_dims])
    best = float("inf")
    with (
        torch.inference_mode(),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        for _ in range(2):
            started = time.perf_counter()
            torch.softmax(network(images).float(), dim=1).argmax(dim=1)
            best = min(best, time.perf_counter() - started)
    network.train()
    return best


def _random_batch(
    candidate: Candidate, network: nn.Module, n_images: int
) -> tuple[torch.Tensor, torch.Tensor]:
    field = field_of(network)
    patch = [field.valid_size(length) for length in candidate.patch]
    random = torch.Generator().manual_seed(0)
    images = torch.randn((n_images, candidate.n_channels, *patch), generator=random)
    target = torch.randint(0, candidate.n_classes, (n_images, *patch), generator=random)
    return images, target


def describe(measurement: Measurement) -> str:
    """A measurement as a line for people."""
    return (
        f"{measurement.n_parameters:,} weights, {measurement.step_seconds:.2f} s a step in "
        f"{measurement.precision} {measurement.memory_format}, about "
        f"{format_bytes(measurement.training_bytes)} for the training itself"
    )
