"""Looks over a network's shoulder: every tensor operation of a pass, and the module it runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

Note = Callable[[str, str, dict[str, Any], tuple[Any, ...]], None]
"""(module, operation, arguments by name, results) -> nothing."""


@contextmanager
def watched(network: nn.Module, note: Note) -> Iterator[None]:
    """While it lasts, `note` is called after every operation that reaches the tensors."""
    path: list[str] = []
    handles = []
    for name, module in network.named_modules():
        enter = module.register_forward_pre_hook(lambda *_, name=name: path.append(name))
        leave = module.register_forward_hook(lambda *_: _drop(path), always_call=True)
        handles += [enter, leave]
    try:
        with _Watcher(path, note):
            yield
    finally:
        for handle in handles:
            handle.remove()


def first_tensor(answer: Any) -> Tensor | None:
    """The scores in a network's answer: the tensor, a tuple's first, a dictionary's "out"."""
    while isinstance(answer, tuple | list) and answer:
        answer = answer[0]
    if isinstance(answer, dict) and answer:
        answer = answer.get("out", next(iter(answer.values())))
    return answer if isinstance(answer, Tensor) else None


def _drop(path: list[str]) -> None:
    path.pop()


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    def __init__(self, path: list[str], note: Note) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # likewise
        self._path = path
        self._note = note

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and tell what it did."""
        result = func(*args, **(kwargs or {}))
        names = [argument.name for argument in func._schema.arguments]
        arguments = {**dict(zip(names, args, strict=False)), **(kwargs or {})}
        results = tuple(result) if isinstance(result, tuple | list) else (result,)
        module = self._path[-1] if self._path else ""
        self._note(module, func._schema.name.split("::")[-1], arguments, results)
        return result
