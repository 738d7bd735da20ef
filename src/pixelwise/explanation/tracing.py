"""A network followed through one forward pass without computing anything: every operation,
its sizes, cost, and exactly which input pixels each output pixel can see."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from pixelwise.core.errors import PixelwiseError, ShapeMismatch
from pixelwise.core.records import Record
from pixelwise.explanation.intervals import everything, join, of_input
from pixelwise.explanation.operation_names import plain_name
from pixelwise.explanation.sight_rules import (
    Sights,
    kernel_numbers,
    multiplications,
    rule_for,
    step_of,
)
from pixelwise.explanation.watching import first_tensor, watched

_FLOAT_BYTES = 4
_SILENT = ("detach", "alias", "empty", "zeros", "ones", "arange", "_to_copy", "lift_fresh", "clone")
_VIEWS = ("view", "_unsafe_view", "reshape", "expand", "unsqueeze", "squeeze", "permute", "t")


class LayerRow(Record):
    """One operation of a network. Empty tuples and zeros where something does not apply.

    module: where it sits in the network. sees: input pixels that one position spans along
    each axis, the most over all positions. jump: input pixels between
    neighbours along the first axis.
    sources: indices of the rows whose results come in (-1 is the input).
    """

    index: int
    module: str
    operation: str
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    groups: int = 1
    channels_in: int
    channels_out: int
    shape: tuple[int, ...]
    parameters: int
    multiplications: int
    n_bytes: int
    sees: tuple[int, ...]
    jump: float
    is_exact: bool = True
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """All rows of a pass, and what the output sees of the input along each axis.

    output_jump: input pixels between neighbours of the output along the first axis.
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    rows: tuple[LayerRow, ...]
    sights: Sights
    parameters: int
    output_jump: float = 1.0

    @property
    def multiplications(self) -> int:
        """Multiply-accumulates of the whole pass."""
        return sum(row.multiplications for row in self.rows)

    @property
    def n_bytes(self) -> int:
        """Bytes of all intermediate results in float32: what training must keep, at most."""
        return sum(row.n_bytes for row in self.rows)


def trace_network(network: nn.Module, input_shape: Sequence[int]) -> Trace:
    """Follow an input of (n, c, [z,] y, x) through a network, on no device and with no data.

    Works for any module of ordinary layers, whether they are modules or function calls. A
    copy in evaluation mode is traced; the network itself is left alone. Norms over a whole
    map (instance, group, layer) count as pointwise.
    Raises: ShapeMismatch if the network cannot take that shape.
    """
    shape = tuple(int(size) for size in input_shape)
    twin = weightless_copy(network).eval()
    follower = _Follower(twin)
    image = torch.empty(shape, device="meta")
    follower.start(image)
    try:
        with torch.no_grad(), watched(twin, follower.see):
            answer = twin(image)
    except (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError) as error:
        raise _refusal(shape, error) from error
    output = first_tensor(answer)
    if output is None:
        raise ShapeMismatch(
            f"the network answers with {type(answer).__name__}, not with a tensor",
            "a network that maps images to a tensor of scores",
            "Wrap it in a module that returns the scores alone.",
            code="network-answer",
        )
    parameters = sum(weight.numel() for weight in network.parameters())
    sights, jump = follower.known_of(output)
    return Trace(shape, tuple(output.shape), tuple(follower.rows), sights, parameters, jump)


def weightless_copy(network: nn.Module) -> nn.Module:
    """A copy whose tensors have shapes but no memory; large networks are not duplicated."""
    memo: dict[int, Any] = {}
    for weight in network.parameters():
        empty = torch.empty_like(weight, device="meta")
        memo[id(weight)] = nn.Parameter(empty, requires_grad=weight.requires_grad)
    for buffer in network.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(network, memo).to("meta")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known about a tensor: what it sees, and the row that made it."""

    tensor: Tensor
    sights: Sights
    row: int
    is_exact: bool
    jump: float


class _Follower:
    """Keeps the books on every operation that reaches the tensors."""

    def __init__(self, network: nn.Module) -> None:
        self.rows: list[LayerRow] = []
        self._known: dict[int, _Known] = {}
        self._unpaid = {id(weight): weight.numel() for weight in network.parameters()}
        self._module = ""

    def start(self, image: Tensor) -> None:
        sights = tuple(of_input(size) for size in image.shape[2:])
        self._known[id(image)] = _Known(image, sights, -1, True, 1.0)
        self._n_dims = image.ndim - 2

    def known_of(self, tensor: Tensor) -> tuple[Sights, float]:
        known = self._known.get(id(tensor))
        return (known.sights, known.jump) if known else ((), 1.0)

    def see(
        self, module: str, name: str, arguments: dict[str, Any], results: tuple[Any, ...]
    ) -> None:
        """Note what an operation did, which ran in a module."""
        self._module = module
        output = results[0] if results else None
        if not isinstance(output, Tensor):
            return
        self._note(name, arguments, output)
        for other in results[1:]:
            if isinstance(other, Tensor) and id(output) in self._known:
                known = self._known[id(output)]
                if other.ndim == output.ndim:
                    self._known[id(other)] = replace(known, tensor=other)

    def _note(self, name: str, arguments: dict[str, Any], output: Tensor) -> None:
        incoming = [self._known[id(t)] for t in _tensors(arguments) if id(t) in self._known]
        if not incoming:
            return
        shape = tuple(output.shape[2:])
        sights, is_exact = self._sights(name, arguments, output, incoming)
        is_exact = is_exact and all(known.is_exact for known in incoming)
        row = max(known.row for known in incoming)
        sizes = tuple(incoming[0].tensor.shape[2:])
        jump = incoming[0].jump * step_of(name, arguments, sizes, shape)
        if self._continues_crop(name, row):
            self.rows[row] = self.rows[row].model_copy(
                update={"shape": tuple(output.shape), "sees": _widths(sights)}
            )
        elif not name.startswith((*_SILENT, *_VIEWS)) or len(incoming) > 1:
            row = len(self.rows)
            self.rows.append(self._row(name, arguments, output, incoming, sights, is_exact, jump))
        if len(shape) == self._n_dims or sights:
            self._known[id(output)] = _Known(output, sights, row, is_exact, jump)

    def _continues_crop(self, name: str, row: int) -> bool:
        is_last = row == len(self.rows) - 1 and row >= 0
        return is_last and name == "slice" and self.rows[row].operation == "crop"

    def _sights(
        self, name: str, arguments: dict[str, Any], output: Tensor, incoming: list[_Known]
    ) -> tuple[Sights, bool]:
        shape = tuple(output.shape[2:])
        first = incoming[0].sights
        if len(shape) != self._n_dims:
            return first, True
        rule = rule_for(name)
        if rule is not None:
            return rule(first, arguments, shape), True
        if all(tuple(map(len, known.sights)) == shape for known in incoming):
            pairs = zip(*(known.sights for known in incoming), strict=True)
            return tuple(join(axis) for axis in pairs), True
        fitting = [k.sights for k in incoming if tuple(map(len, k.sights)) == shape]
        is_broadcast = bool(fitting) and not name.startswith(_VIEWS)
        joined = [
            [everything(k.sights[axis], size) for k in incoming] for axis, size in enumerate(shape)
        ]
        return tuple(join(axis) for axis in joined), is_broadcast

    def _row(
        self,
        name: str,
        arguments: dict[str, Any],
        output: Tensor,
        incoming: list[_Known],
        sights: Sights,
        is_exact: bool,
        jump: float,
    ) -> LayerRow:
        has_kernel = name == "convolution" or ("_pool" in name and "adaptive" not in name)
        numbers = (
            kernel_numbers(arguments, self._n_dims) if has_kernel and "unpool" not in name else {}
        )
        source = incoming[0].tensor
        is_in_place = id(output) == id(source)
        return LayerRow(
            index=len(self.rows),
            module=self._module,
            operation=plain_name(name, arguments),
            **numbers,
            groups=int(arguments.get("groups", 1)) if name == "convolution" else 1,
            channels_in=source.shape[1] if source.ndim > 1 else 1,
            channels_out=output.shape[1] if output.ndim > 1 else 1,
            shape=tuple(output.shape),
            parameters=sum(self._unpaid.pop(id(t), 0) for t in _tensors(arguments)),
            multiplications=multiplications(name, arguments, output),
            n_bytes=0 if is_in_place or name == "slice" else math.prod(output.shape) * _FLOAT_BYTES,
            sees=_widths(sights),
            jump=jump,
            is_exact=is_exact,
            sources=tuple(dict.fromkeys(known.row for known in incoming)),
        )


def _widths(sights: Sights) -> tuple[int, ...]:
    return tuple(int(sight.sizes().max()) for sight in sights)


def _tensors(arguments: dict[str, Any]) -> Iterator[Tensor]:
    for value in arguments.values():
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from (item for item in value if isinstance(item, Tensor))


def _refusal(shape: tuple[int, ...], error: Exception) -> PixelwiseError:
    reason = str(error).strip().split("\n", 1)[0]
    return ShapeMismatch(
        f"the network cannot take an input of {'x'.join(map(str, shape[2:]))} pixels with "
        f"{shape[1]} channels: {reason}",
        "an input that every layer can work on",
        "Give another size with --input, such as 256x256x3.",
        code="network-size",
    )
