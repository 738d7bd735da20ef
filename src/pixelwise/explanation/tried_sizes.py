"""Which input sizes somebody else's network takes, found by trying them without computing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from pixelwise.core.records import Record
from pixelwise.explanation.tracing import weightless_copy
from pixelwise.explanation.watching import first_tensor

_SPAN = 64
"""So many neighbouring sizes are tried, one after the other: strides are at most that."""


class TriedSizes(Record):
    """What became of inputs of n pixels along every axis, n from `first` to `last`.

    taken: sizes that gave an answer, with the answer's size along the first axis.
    smallest: the smallest size of the same kind that is taken. step: distance of the sizes
    that are taken, None if they are not evenly spaced.
    """

    first: int
    last: int
    taken: tuple[tuple[int, int], ...]
    smallest: int | None
    step: int | None
    sentences: tuple[str, ...]


def try_sizes(network: nn.Module, input_shape: Sequence[int]) -> TriedSizes:
    """Feed a network inputs of 64 neighbouring sizes from that of the first axis on.

    input_shape: (n, c, [z,] y, x). Shapes only: nothing is computed.
    """
    twin = weightless_copy(network).eval()
    n, c, *spatial = input_shape

    def answer(size: int) -> int | None:
        return _output_size(twin, (n, c, *(size,) * len(spatial)))

    first = int(spatial[0])
    found = {size: result for size in range(first, first + _SPAN) if (result := answer(size))}
    taken = tuple(sorted(found.items()))
    step = _step([size for size, _ in taken])
    smallest = None
    if taken:
        smallest, size = taken[0][0], taken[0][0] - (step or 1)
        while size > 0 and answer(size):
            smallest, size = size, size - (step or 1)
    last = first + _SPAN - 1
    sentences = _sentences(first, last, taken, smallest, step)
    return TriedSizes(
        first=first, last=last, taken=taken, smallest=smallest, step=step, sentences=sentences
    )


def _output_size(twin: nn.Module, shape: tuple[int, ...]) -> int | None:
    """The answer's size along the first axis, None if there is none."""
    try:
        with torch.no_grad():
            output = first_tensor(twin(torch.empty(shape, device="meta")))
    except Exception:  # somebody else's module refuses in any way it likes
        return None
    return output.shape[2] if output is not None and output.ndim > 2 else None


def _step(sizes: Sequence[int]) -> int | None:
    gaps = {b - a for a, b in pairwise(sizes)}
    return gaps.pop() if len(gaps) == 1 else None


def _sentences(
    first: int,
    last: int,
    taken: Sequence[tuple[int, int]],
    smallest: int | None,
    step: int | None,
) -> tuple[str, ...]:
    if not taken:
        return (f"None of the sizes {first} to {last}, the same along every axis, is taken.",)
    sizes = [size for size, _ in taken]
    some = ", ".join(map(str, sizes[:4])) + (", …" if len(sizes) > 4 else "")
    if step == 1:
        kind = f"Every size tried, {first} to {last} along every axis, is taken"
    elif step is not None:
        kind = (
            f"Of the sizes {first} to {last}, those of the form {step} i + {sizes[0] % step} "
            f"are taken ({some})"
        )
    else:
        kind = f"Of the sizes {first} to {last}, {len(sizes)} are taken ({some})"
    return (f"{kind}, the smallest of this kind: {smallest}.", *_about_output(taken))


def _about_output(taken: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    other = [(size, result) for size, result in taken if size != result]
    if not other:
        return ("The answer always has the input's size.",)
    size, result = other[0]
    if len(other) == len(taken):
        return ()
    return (f"The answer has the input's size for some only: {size} pixels give {result}.",)
