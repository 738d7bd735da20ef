"""Measures what a network costs on this machine, in the arithmetic that is fastest here."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import nn

from pixelwise.core.plan import PartSection
from pixelwise.core.runtime import MEMORY_FORMATS, has_bfloat16, lay_out
from pixelwise.losses import LOSSES, LossFunction
from pixelwise.networks import NetworkIO, build_network, field_of, training_loss
from pixelwise.planning.candidate import Candidate, Measurement

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""Where trainings run: Fabric takes a graphics card if there is one."""

_TRIAL_IMAGES = 2
_SCALES = (1.0, 0.5, 0.25)
"""Shares of the planned edges that a patch may be timed at."""

_SMALLEST_EDGE = {2: 32, 3: 24}
"""No trial is smaller: the deepest grid of a network must hold more than one pixel."""

_STEPS_TIMED = 5
"""A trial takes about as long as so many steps: one to warm up, two timed, two predictions."""

_ARITHMETIC_SHARE, _CANDIDATE_SHARE = 0.35, 0.45
"""Of the time that is left for measuring, at most these shares go into one question."""
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

_OVERHEAD, _PASSING = 1.2, 2.0
"""Gaps of the allocator on what is kept; gradients that pass by, in largest tensors."""


class Probe:
    """Times candidates; picks the arithmetic with the first one of a name and keeps it.

    limit_seconds: that all measurements together may take, about. Where a whole patch would take
    too long, a part of it is timed, and the time of the whole follows from its pixels.
    """

    def __init__(self, threads: int, limit_seconds: float = math.inf) -> None:
        torch.set_num_threads(threads)
        self._limit = limit_seconds
        self._arithmetic: dict[str, tuple[str, str]] = {}
        self._sentence = ""
        self.spent_seconds = 0.0

    def __call__(self, candidate: Candidate) -> Measurement:
        """One training step and one prediction of a candidate, after a warm-up."""
        started = time.perf_counter()
        network = _build(candidate.network, candidate).to(DEVICE)
        smallest = _Trial(network, candidate, _SCALES[-1])
        first = smallest.time_step(_first_arithmetic(candidate), 1, repeats=1)
        per_pixel = first.seconds / smallest.n_pixels
        name = candidate.network.name
        if name not in self._arithmetic:
            left = self._left(started) * _ARITHMETIC_SHARE
            trial = _largest_trial(network, candidate, per_pixel, left / (2 * len(_ARITHMETIC)))
            self._arithmetic[name] = self._choose_arithmetic(trial, candidate)
        arithmetic = self._arithmetic[name]
        n_images = min(_TRIAL_IMAGES, candidate.batch)
        left = self._left(started) * _CANDIDATE_SHARE
        trial = _largest_trial(network, candidate, per_pixel, left / (_STEPS_TIMED * n_images))
        if trial.scale < 1:
            n_images = 1
        step = trial.time_step(arithmetic, n_images, repeats=2 if trial.scale == 1 else 1)
        forward = trial.time_forward(arithmetic, n_images)
        n_parameters = sum(p.numel() for p in network.parameters())
        whole = math.prod(candidate.patch) * candidate.batch / (trial.n_pixels * n_images)
        self.spent_seconds += time.perf_counter() - started
        return Measurement(
            step_seconds=step.seconds * whole,
            pixels_per_second=trial.n_pixels * n_images / forward,
            training_bytes=step_bytes(n_parameters, step, whole),
            n_parameters=n_parameters,
            precision=arithmetic[0],
            memory_format=arithmetic[1],
            sentence=self._sentence,
            has_norm=any(isinstance(layer, _NORMS) for layer in network.modules()),
        )

    def _left(self, started: float) -> float:
        return max(0.0, self._limit - self.spent_seconds - (time.perf_counter() - started))

    def _choose_arithmetic(self, trial: _Trial, candidate: Candidate) -> tuple[str, str]:
        """The fastest of what is permitted; leaves a sentence on the others."""
        permitted = _permitted(candidate)
        if len(permitted) < 2:
            self._sentence = "you asked for it"
            return permitted[0]
        seconds = {
            arithmetic: trial.time_step(arithmetic, 1, repeats=1).seconds
            for arithmetic in permitted
        }
        chosen = min(seconds, key=lambda key: seconds[key])
        others = [
            f"{precision} {memory_format} {value / seconds[chosen]:.1f} times as long"
            for (precision, memory_format), value in seconds.items()
            if (precision, memory_format) != chosen
        ]
        whole = math.prod(candidate.patch) / trial.n_pixels
        fastest = f"{seconds[chosen] * whole:.2f} s"
        self._sentence = f"one image takes {fastest} this way, {', '.join(others)}"
        return chosen


@dataclass(frozen=True, slots=True)
class TimedStep:
    """Seconds of a forward and backward pass, and the bytes kept between the two.

    largest_bytes: of the largest tensor that was kept.
    """

    seconds: float
    saved_bytes: int
    largest_bytes: int


class _Trial:
    """A network on patches of `scale` times the planned edges, as near as it takes them."""

    def __init__(self, network: nn.Module, candidate: Candidate, scale: float) -> None:
        field = field_of(network)
        self.scale = scale
        self._network = network
        self._candidate = candidate
        self._patch = tuple(
            field.valid_size(min(edge, max(_SMALLEST_EDGE[candidate.n_dims], round(scale * edge))))
            for edge in candidate.patch
        )

    @property
    def n_pixels(self) -> int:
        """Pixels of one patch."""
        return math.prod(self._patch)

    def time_step(self, arithmetic: tuple[str, str], n_images: int, *, repeats: int) -> TimedStep:
        """The fastest of `repeats` training steps after one that does not count."""
        precision, layout = arithmetic
        network, candidate = self._network, self._candidate
        lay_out(network, MEMORY_FORMATS[layout, candidate.n_dims])
        network.train()
        images, target = self._batch(n_images, layout)
        loss_function = _loss_of(candidate)
        own = {p.untyped_storage().data_ptr() for p in network.parameters()}
        seen: dict[int, int] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                seen[storage.data_ptr()] = storage.nbytes()
            return tensor

        best = math.inf
        for repeat in range(repeats + 1):
            started = _now()
            seen.clear()
            with (
                torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bfloat16"),
                torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
            ):
                outputs = network(images)
            finest = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
            wanted = target[(slice(None), *(slice(0, n) for n in finest.shape[2:]))]
            loss = training_loss(loss_function, outputs, wanted, torch.ones_like(wanted).bool())
            torch.autograd.backward(loss)
            network.zero_grad(set_to_none=True)
            if repeat:
                best = min(best, _now() - started)
        return TimedStep(best, sum(seen.values()), max(seen.values(), default=0))

    def time_forward(self, arithmetic: tuple[str, str], n_images: int) -> float:
        """The faster of two predictions."""
        precision, layout = arithmetic
        network = self._network
        network.eval()
        images, _ = self._batch(n_images, layout)
        best = math.inf
        with (
            torch.inference_mode(),
            torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bfloat16"),
        ):
            for _ in range(2):
                started = _now()
                torch.softmax(network(images).float(), dim=1).argmax(dim=1)
                best = min(best, _now() - started)
        network.train()
        return best

    def _batch(self, n_images: int, layout: str) -> tuple[torch.Tensor, torch.Tensor]:
        candidate = self._candidate
        random = torch.Generator().manual_seed(0)
        shape = (n_images, candidate.n_channels, *self._patch)
        images = torch.randn(shape, generator=random)
        target = torch.randint(0, candidate.n_classes, (n_images, *self._patch), generator=random)
        memory_format = MEMORY_FORMATS[layout, candidate.n_dims]
        return images.to(DEVICE).contiguous(memory_format=memory_format), target.to(DEVICE)


def step_bytes(n_parameters: int, step: TimedStep, whole: float) -> int:
    """What a training holds beside the data, from a step on 1/whole of its batch."""
    kept = step.saved_bytes * whole * _OVERHEAD + step.largest_bytes * whole * _PASSING
    return n_parameters * _FLOAT_BYTES * _COPIES + round(kept)


def _largest_trial(
    network: nn.Module, candidate: Candidate, seconds_per_pixel: float, limit: float
) -> _Trial:
    """The largest patch whose step is expected to take less than `limit`, else the smallest."""
    for scale in _SCALES[:-1]:
        trial = _Trial(network, candidate, scale)
        if trial.n_pixels * seconds_per_pixel <= limit:
            return trial
    return _Trial(network, candidate, _SCALES[-1])


def _permitted(candidate: Candidate) -> list[tuple[str, str]]:
    """Precisions and layouts that were asked for, all that this machine is fit for if none was."""
    found = [
        (precision, layout)
        for precision, layout in _ARITHMETIC
        if candidate.precision == precision
        or (candidate.precision is None and (precision == "float32" or has_bfloat16()))
        if candidate.memory_format in (layout, None)
    ]
    asked = candidate.precision or "float32", candidate.memory_format or "contiguous"
    return found or [asked]


def _first_arithmetic(candidate: Candidate) -> tuple[str, str]:
    return _permitted(candidate)[0]


def _loss_of(candidate: Candidate) -> LossFunction:
    loss = LOSSES.build(candidate.loss.name, options=dict(candidate.loss.options))
    takes_regions = LOSSES.find(candidate.loss.name).facts.get("targets") == "regions"
    return _of_planes(loss, candidate.n_classes) if takes_regions else loss


def _now() -> float:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def _build(part: PartSection, candidate: Candidate) -> nn.Module:
    io = NetworkIO(candidate.n_dims, candidate.n_channels, candidate.n_classes)
    with torch.random.fork_rng(devices=[]):
        return build_network(part.name, io, dict(part.options))


def _of_planes(loss: LossFunction, n_regions: int) -> LossFunction:
    """A loss of regions that is given class ids: regions that happen not to overlap."""

    def of_ids(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        planes = torch.nn.functional.one_hot(target, n_regions).movedim(-1, 1)
        return loss(logits, planes, valid)

    return of_ids
