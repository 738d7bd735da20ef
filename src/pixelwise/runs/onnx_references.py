"""Which other files an ONNX model refers to: found in its bytes, without a library that follows."""

from __future__ import annotations

from collections.abc import Iterator

_GRAPH, _FUNCTIONS = 7, 25
_NODES, _INITIALIZERS, _SPARSE = 1, 5, 15
_ATTRIBUTES, _FUNCTION_NODES = 5, 7
_TENSORS_OF_ATTRIBUTE = (5, 10)
_GRAPHS_OF_ATTRIBUTE = (6, 11)
_SPARSE_OF_ATTRIBUTE = (22, 23)
_EXTERNAL = 13
_BYTES = 2

Fields = Iterator[tuple[int, memoryview]]


def external_files(model: bytes) -> list[str]:
    """Names of files that tensors of an ONNX model are said to lie in; empty if none.

    Source: onnx.proto (ModelProto.graph 7 and functions 25, GraphProto.initializer 5,
    TensorProto.external_data 13 and the like). Raises ValueError never: what cannot be
    followed is left to the runtime, which refuses it.
    """
    found: list[str] = []
    for number, part in _fields(memoryview(model)):
        if number == _GRAPH:
            found += _of_graph(part)
        elif number == _FUNCTIONS:
            found += [name for n, node in _fields(part) if n == _FUNCTION_NODES
                      for name in _of_node(node)]  # fmt: skip
    return found


def _of_graph(graph: memoryview) -> list[str]:
    found: list[str] = []
    for number, part in _fields(graph):
        if number == _INITIALIZERS:
            found += _of_tensor(part)
        elif number == _SPARSE:
            found += _of_sparse(part)
        elif number == _NODES:
            found += _of_node(part)
    return found


def _of_node(node: memoryview) -> list[str]:
    found: list[str] = []
    for number, attribute in _fields(node):
        if number != _ATTRIBUTES:
            continue
        for kind, part in _fields(attribute):
            if kind in _TENSORS_OF_ATTRIBUTE:
                found += _of_tensor(part)
            elif kind in _GRAPHS_OF_ATTRIBUTE:
                found += _of_graph(part)
            elif kind in _SPARSE_OF_ATTRIBUTE:
                found += _of_sparse(part)
    return found


def _of_sparse(tensor: memoryview) -> list[str]:
    return [name for number, part in _fields(tensor) if number in (1, 2)
            for name in _of_tensor(part)]  # fmt: skip


def _of_tensor(tensor: memoryview) -> list[str]:
    names = []
    for number, part in _fields(tensor):
        if number == _EXTERNAL:
            words = [bytes(text).decode("utf-8", "replace") for _, text in _fields(part)]
            names.append("=".join(words))
    return names


def _fields(message: memoryview) -> Fields:
    """(number, content) of the fields of a protobuf message that hold bytes."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        number, wire = key >> 3, key & 7
        if wire == _BYTES:
            length, place = _varint(message, place)
            yield number, message[place : place + length]
            place += length
        elif wire == 0:
            _, place = _varint(message, place)
        elif wire in (1, 5):
            place += 8 if wire == 1 else 4
        else:
            return


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message):
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place += 1
        shift += 7
        if byte < 0x80 or shift > 63:
            break
    return value, place
