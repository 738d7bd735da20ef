"""How much memory a forward pass holds at most, followed on tensors without content."""

from __future__ import annotations

import copy
import weakref
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Counts the bytes of storages that some tensor still holds."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # likewise
        self._holders: Counter[int] = Counter()
        self._live = 0
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = func(*args, **(kwargs or {}))
        for value in tree_leaves(answer):
            if isinstance(value, Tensor):
                self._follow(value)
        self.peak = max(self.peak, self._live)
        return answer

    def _follow(self, value: Tensor) -> None:
        storage = value.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if self._holders[key] == 0:
            self._live += size
        self._holders[key] += 1
        weakref.finalize(value, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        if self._holders[key] == 0:
            self._live -= size


def live_bytes(network: nn.Module, input_shape: Sequence[int]) -> int | None:
    """The most bytes of feature maps that exist at once in a float32 forward pass.

    input_shape: (n, c, [z,] y, x). Without what the library needs inside an operation. None
    for a network that cannot run on tensors without content.
    """
    try:
        twin = copy.deepcopy(network).to("meta").eval()
        images = torch.empty(tuple(input_shape), device="meta")
        with torch.no_grad(), _LiveBytes() as counter:
            twin(images)
    except Exception:  # a user's network may do anything
        return None
    return int(counter.peak + images.numel() * images.element_size())
