"""What the BioImage Model Zoo asks for beside a bundle: rdf.yaml and tensors to test it with."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.commands.run_engines import OpenedEngine
from pixelwise.core.errors import BadPlan
from pixelwise.core.image import Array
from pixelwise.core.plan import Plan, network_input
from pixelwise.inference.onnx_network import INPUT, OPSET, OUTPUT
from pixelwise.runs.folder import RunFolder
from pixelwise.runs.runner_arrays import probabilities

FORMAT = "0.5.4"
"""Of model descriptions: https://bioimage-io.github.io/spec-bioimage-io"""

_UNITS = {
    "nm": "nanometer", "µm": "micrometer", "um": "micrometer", "mm": "millimeter",
    "cm": "centimeter", "m": "meter",
}  # fmt: skip
_INPUT_FILE, _OUTPUT_FILE = "test_input.npy", "test_output.npy"
_TEST_STEPS = 2


def bioimageio_files(
    run: RunFolder,
    plan: Plan,
    opened: OpenedEngine,
    image: Array,
    files: Mapping[str, bytes],
) -> dict[str, bytes]:
    """rdf.yaml, and a raw tile with the probabilities that belong to it.

    image: (c, [z,] y, x), what the tile is cut from. The description holds the network with
    its normalisation and softmax; tiles, other grids and labels are the runner's, which goes
    along as an attachment. Raises BadPlan where the plan evens out illumination: no step of
    that format does.
    """
    if plan.intensity.shading != "none":
        raise BadPlan(
            f"the plan evens out illumination (intensity.shading is {plan.intensity.shading})",
            "steps of preprocessing that the format of the BioImage Model Zoo knows",
            "Export the ordinary bundle, whose runner does it.",
            code="shading-not-in-format",
        )
    raw = _test_tile(plan, opened, image)
    logits = opened.engine.logits(_preprocess(plan, raw))
    task = plan.task.model_dump(mode="json")
    wanted = np.stack([probabilities(found, {**task, "options": {}}) for found in logits])
    tensors = {_INPUT_FILE: _npy(raw), _OUTPUT_FILE: _npy(wanted.astype(np.float32))}
    content = _describe(run, plan, opened, {**files, **tensors})
    text = "\n".join(_yaml(content)) + "\n"
    return {"rdf.yaml": text.encode("utf-8"), **tensors}


def _test_tile(plan: Plan, opened: OpenedEngine, image: Array) -> npt.NDArray[np.float32]:
    """(1, c, [z,] y, x) float32, of a size that the network takes, mirrored up if need be."""
    n_dims, n_channels = network_input(plan)
    flat = image.astype(np.float32)
    if plan.geometry.slice_axis is not None:
        flat = np.take(flat, 0, axis=plan.geometry.slice_axis + 1)
        flat = np.concatenate([flat] * (n_channels // len(flat)))
    edges = [first + _TEST_STEPS * step for first, step in [_sizes(opened)] * n_dims]
    if opened.field.margin:
        edges = [first for first, _ in [_sizes(opened)] * n_dims]
    missing = [(0, max(0, edge - size)) for edge, size in zip(edges, flat.shape[1:])]
    flat = np.pad(flat, [(0, 0), *missing], mode="reflect")
    return np.ascontiguousarray(flat[(slice(None), *(slice(0, edge) for edge in edges))][None])


def _sizes(opened: OpenedEngine) -> tuple[int, int]:
    """(smallest, step) of the sizes that a description can promise."""
    field = opened.field
    step = int(np.lcm(field.alignment, field.multiple))
    smallest = max(field.smallest, 2 * step)
    return smallest + (field.remainder - smallest) % step, step


def _preprocess(plan: Plan, raw: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What the steps of `_steps` make of a tile."""
    section, n_channels = plan.intensity, raw.shape[1]
    shape = (1, -1) + (1,) * (raw.ndim - 2)
    if section.scheme == "image":
        axes = tuple(range(2, raw.ndim))
        mean, std = raw.mean(axis=axes, keepdims=True), raw.std(axis=axes, keepdims=True)
        return np.asarray((raw - mean) / (std + 1e-6), np.float32)
    bounds = _common_bounds(plan)
    values = raw if bounds is None else np.clip(raw, *bounds)
    centre, scale = (
        np.resize(np.asarray(numbers, np.float32), n_channels).reshape(shape)
        for numbers in (section.centre, section.scale)
    )
    return np.asarray((values - centre) / scale, np.float32)


def _common_bounds(plan: Plan) -> tuple[float, float] | None:
    """The range that all channels are clipped to; None where they differ."""
    low, high = set(plan.intensity.low), set(plan.intensity.high)
    return (low.pop(), high.pop()) if len(low) == len(high) == 1 else None


def _steps(plan: Plan, n_channels: int) -> list[dict[str, Any]]:
    section = plan.intensity
    first: list[dict[str, Any]] = [{"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
    spatial = ["z", "y", "x"][-network_input(plan)[0] :]
    if section.scheme == "image":
        return [
            *first,
            {"id": "zero_mean_unit_variance", "kwargs": {"axes": spatial, "eps": 1e-6}},
        ]
    bounds = _common_bounds(plan)
    if bounds is not None and bounds[0] < bounds[1]:
        first.append({"id": "clip", "kwargs": {"min": bounds[0], "max": bounds[1]}})
    mean, std = (np.resize(numbers, n_channels) for numbers in (section.centre, section.scale))
    kwargs: dict[str, Any] = {"mean": float(mean[0]), "std": float(std[0])}
    if n_channels > 1:
        kwargs = {"axis": "channel", "mean": mean.tolist(), "std": std.tolist()}
    return [*first, {"id": "fixed_zero_mean_unit_variance", "kwargs": kwargs}]


def _describe(
    run: RunFolder, plan: Plan, opened: OpenedEngine, files: Mapping[str, bytes]
) -> dict[str, Any]:
    n_dims, n_channels = network_input(plan)
    letters = ["z", "y", "x"][-n_dims:]
    spacing = dict(zip(letters, (plan.data.spacing or ())[-n_dims:], strict=False))
    unit = _UNITS.get(plan.data.unit)
    smallest, step = _sizes(opened)
    space_in, space_out = [], []
    for letter in letters:
        scale = {"scale": spacing[letter], "unit": unit} if unit and letter in spacing else {}
        size = {"min": smallest, "step": step}
        reference = {"tensor_id": INPUT, "axis_id": letter, "offset": -2 * opened.field.margin}
        space_in.append({"type": "space", "id": letter, "size": size, **scale})
        space_out.append({"type": "space", "id": letter, "size": reference, **scale})
    channels = [f"channel{number}" for number in range(n_channels)]
    classes = [re.sub(r"\W+", "_", entry.name) for entry in plan.data.classes]
    ending = "sigmoid" if plan.data.labels.holds_regions else "softmax"
    last = [
        {"id": ending} if ending == "sigmoid" else {"id": ending, "kwargs": {"axis": "channel"}}
    ]
    name = re.sub(r"[^\w\- ]+", " ", f"{run.data_name() or 'Segmentation'} {plan.network.name}")
    own = [file for file in files if file not in (_INPUT_FILE, _OUTPUT_FILE, "network.onnx",
                                                  "README.md")]  # fmt: skip
    return {
        "format_version": FORMAT,
        "type": "model",
        "name": name.strip(),
        "description": f"Labels pixels: {', '.join(entry.name for entry in plan.data.classes)}.",
        "authors": [{"name": "unnamed"}],
        "documentation": {"source": "README.md", "sha256": _hash(files["README.md"])},
        "tags": ["segmentation", f"{n_dims}d", plan.network.name],
        "attachments": [{"source": file, "sha256": _hash(files[file])} for file in own],
        "inputs": [
            {
                "id": INPUT,
                "axes": [
                    {"type": "batch"},
                    {"type": "channel", "id": "channel", "channel_names": channels},
                    *space_in,
                ],
                "test_tensor": {"source": _INPUT_FILE, "sha256": _hash(files[_INPUT_FILE])},
                "data": {"type": "float32"},
                "preprocessing": _steps(plan, n_channels),
            }
        ],
        "outputs": [
            {
                "id": OUTPUT,
                "description": "Probabilities, after the last step.",
                "axes": [
                    {"type": "batch"},
                    {"type": "channel", "id": "channel", "channel_names": classes},
                    *space_out,
                ],
                "test_tensor": {"source": _OUTPUT_FILE, "sha256": _hash(files[_OUTPUT_FILE])},
                "data": {"type": "float32"},
                "postprocessing": last,
            }
        ],
        "weights": {
            "onnx": {
                "source": "network.onnx",
                "sha256": _hash(files["network.onnx"]),
                "opset_version": OPSET,
            }
        },
    }


def _yaml(value: Any, indent: int = 0) -> list[str]:
    """Mappings and lists as YAML lines; single values are written as JSON, which is YAML too."""
    space = "  " * indent
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, Mapping | list) and inner:
                lines += [f"{space}{key}:", *_yaml(inner, indent + 1)]
            else:
                lines.append(f"{space}{key}: {_scalar(inner)}")
        return lines
    for inner in value:
        if isinstance(inner, Mapping | list) and inner:
            first, *rest = _yaml(inner, indent + 1)
            lines += [f"{space}- {first.strip()}", *rest]
        else:
            lines.append(f"{space}- {_scalar(inner)}")
    return lines


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _npy(values: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    return stream.getvalue()
