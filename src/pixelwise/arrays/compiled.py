"""Loops compiled for this processor at first use, kept on disk, never in silence."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types
from numba.extending import intrinsic

Loop = TypeVar("Loop", bound=Callable[..., Any])

PATIENCE = 1.0
"""Seconds after which a first call says what it is waiting for."""

logger = logging.getLogger("pixelwise")

_lock = threading.Lock()
_ready: set[str] = set()


def compiled(loop: Loop) -> Loop:
    """Compile a loop at its first call; the result is cached on disk; it releases the GIL."""
    return cast(Loop, numba.njit(cache=True, nogil=True, error_model="numpy")(loop))


def prepare(name: str, first_call: Callable[[], object]) -> None:
    """Make the first call of a group of loops, once per process, and say so if it takes long."""
    if name in _ready:
        return
    with _lock:
        if name in _ready:
            return
        notice = threading.Timer(
            PATIENCE,
            logger.warning,
            ("Preparing the %s: the first use on a machine compiles them, some seconds.", name),
        )
        notice.daemon = True
        notice.start()
        try:
            first_call()
        finally:
            notice.cancel()
        _ready.add(name)


def _trailing_zeros(_context: Any, value: Any) -> Any:
    """How many low bits of a nonzero uint64 are 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


def _leading_zeros(_context: Any, value: Any) -> Any:
    """How many high bits of a nonzero uint64 are 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


trailing_zeros = cast(Callable[[Any], Any], intrinsic(_trailing_zeros))
leading_zeros = cast(Callable[[Any], Any], intrinsic(_leading_zeros))


def _load_word(_context: Any, array: Any, place: Any) -> Any:
    """The eight bytes from a place of a contiguous array of bytes on, the first one lowest.

    Nothing is checked: place + 8 must lie within the array.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        content = context.make_array(signature.args[0])(context, builder, arguments[0])
        start = builder.gep(content.data, [arguments[1]])
        word = builder.bitcast(start, ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(array, types.int64), generate


load_word = cast(Callable[[Any, Any], Any], intrinsic(_load_word))
