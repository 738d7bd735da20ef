"""Plain words for the tensor operations that networks are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = (
    ("native_batch_norm", "batch norm"),
    ("batch_norm", "batch norm"),
    ("cudnn_batch_norm", "batch norm"),
    ("native_group_norm", "group norm"),
    ("native_layer_norm", "layer norm"),
    ("max_pool", "max pooling"),
    ("avg_pool", "average pooling"),
    ("adaptive_avg_pool", "adaptive average pooling"),
    ("max_unpool", "unpooling"),
    ("upsample_nearest", "nearest upsampling"),
    ("upsample_bilinear", "bilinear upsampling"),
    ("upsample_trilinear", "trilinear upsampling"),
    ("upsample_bicubic", "bicubic upsampling"),
    ("pixel_shuffle", "pixel shuffle"),
    ("reflection_pad", "mirror padding"),
    ("replication_pad", "edge padding"),
    ("constant_pad", "zero padding"),
    ("slice", "crop"),
    ("cat", "concatenation"),
    ("add", "addition"),
    ("leaky_relu", "leaky ReLU"),
    ("relu", "ReLU"),
    ("addmm", "linear"),
    ("mean", "mean"),
)


def plain_name(name: str, arguments: Mapping[str, Any]) -> str:
    """What an operation is called in tables and drawings, such as "transposed convolution"."""
    if name == "convolution" and arguments["transposed"]:
        return "transposed convolution"
    if name == "convolution":
        weight = arguments["weight"]
        is_depthwise = arguments["groups"] > 1 and weight.shape[1] == 1
        return "depthwise convolution" if is_depthwise else "convolution"
    plain = name.strip("_")
    return next((word for key, word in _WORDS if plain.startswith(key)), plain.replace("_", " "))
