"""What OME-Zarr metadata say: axes, units, scale, place, channels; and those of labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UnreadableFile
from pixelwise.core.image import Array, Header, Region
from pixelwise.core.placement import place_volume

OME_ZARR = "ome-zarr"
"""Key of Header.geometry: version of the files, units and translation of the spatial axes."""

_METADATA_FILES = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
_UNITS = {
    "angstrom": "Å",
    "nanometer": "nm",
    "micrometer": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "kilometer": "km",
}
_LONG_UNITS = {short: long for long, short in _UNITS.items()} | {"um": "micrometer"}
_OLD_AXES = "tczyx"
_VERSIONS = {2: "0.4", 3: "0.5"}


@dataclass(frozen=True, slots=True)
class ZarrLayout:
    """The array of the finest level, and the stored axes in order as letters of t, c, z, y, x."""

    header: Header
    array: Any
    folder: Path
    axes: str

    def stored_index(self, region: Region) -> tuple[slice | int, ...]:
        """The index of a region of the image in the stored array, all channels."""
        parts = dict(zip("zyx"[-len(region) :], region, strict=True))
        return tuple(parts.get(axis, slice(None) if axis == "c" else 0) for axis in self.axes)

    def as_channels(self, stored: Array) -> Array:
        """What stored_index gave, as (c, [z,] y, x)."""
        wanted = "c" + "zyx"[-len(self.header.shape) :]
        kept = [axis for axis in self.axes if axis in wanted]
        values = stored if "c" in kept else stored[None]
        kept = kept if "c" in kept else ["c", *kept]
        return values.transpose([kept.index(axis) for axis in wanted])


def is_zarr_folder(folder: Path) -> bool:
    """Whether a folder holds the metadata of a Zarr group or array."""
    return any((folder / name).is_file() for name in _METADATA_FILES)


def read_layout(path: Path, zarr: Any) -> ZarrLayout:
    """The layout of an image. Raises UnreadableFile for plates, series and films."""
    attributes, zarr_format = _read_attributes(path)
    scales = attributes.get("multiscales")
    if not scales:
        raise _no_image(path, attributes)
    scale = scales[0]
    datasets = scale["datasets"]
    array = zarr.open_array(path / datasets[0]["path"], mode="r")
    axes, units = _read_axes(scale, array.ndim)
    sizes = dict(zip(axes, array.shape, strict=True))
    if sizes.get("t", 1) > 1:
        raise _refuse(path, f"it is a film of {sizes['t']} time points", "one time point")
    if set(axes) - set(_OLD_AXES) or not {"y", "x"} <= set(axes) or len(set(axes)) < len(axes):
        raise _refuse(path, f"its axes are {', '.join(axes)}", "axes of t, c, z, y, x")
    if min(array.shape) < 1 or np.dtype(array.dtype).kind not in "buif":
        raise _refuse(path, f"it holds {array.dtype} of shape {array.shape}", "numbers")
    is_volume = sizes.get("z", 1) > 1
    spatial = "zyx" if is_volume else "yx"
    steps, places = _transforms(scale, datasets[0], axes)
    named = {units.get(axis, "") for axis in spatial}
    unit = _UNITS.get(next(iter(named)), "px") if len(named) == 1 else "px"
    spacing = tuple(steps[axis] for axis in spatial) if unit != "px" else None
    shape = tuple(sizes[axis] for axis in spatial)
    placement = None
    if is_volume and spacing is not None:
        affine = np.diag([steps["x"], steps["y"], steps["z"], 1.0])
        affine[:3, 3] = [places["x"], places["y"], places["z"]]
        placement = place_volume(affine, (shape[2], shape[1], shape[0]), is_anatomical=False)
    n_channels = sizes.get("c", 1)
    native = np.dtype(array.dtype)
    header = Header(
        path=path,
        shape=shape,
        n_channels=n_channels,
        dtype=np.dtype("uint8") if native.kind == "b" else native.newbyteorder("="),
        format_name="OME-Zarr",
        spacing=spacing,
        unit=unit,
        geometry={
            OME_ZARR: {
                "format": zarr_format,
                "units": {axis: units.get(axis, "") for axis in spatial},
                "scale": {axis: steps[axis] for axis in spatial},
                "translation": {axis: places[axis] for axis in spatial},
            }
        },
        notes=_notes(path, len(datasets), len(scales)),
        placement=placement,
        channel_names=_channel_names(attributes, n_channels),
    )
    return ZarrLayout(header, array, path / datasets[0]["path"], axes)


def label_metadata(
    header: Header, colours: Sequence[Sequence[int]] | None, name: str
) -> tuple[int, dict[str, Any]]:
    """Version of the Zarr format and attributes of a label image on the grid of an image."""
    kept: Mapping[str, Any] = header.geometry.get(OME_ZARR, {})
    zarr_format = int(kept.get("format", 2))
    version = _VERSIONS[zarr_format]
    spatial = "zyx"[-len(header.shape) :]
    spacing = header.spacing or (1.0,) * len(spatial)
    unit = _LONG_UNITS.get(header.unit, "") if header.spacing else ""
    units = kept.get("units", dict.fromkeys(spatial, unit))
    scale = kept.get("scale", dict(zip(spatial, spacing, strict=True)))
    transforms: list[dict[str, Any]] = [
        {"type": "scale", "scale": [float(scale[axis]) for axis in spatial]}
    ]
    places = kept.get("translation", {})
    if any(places.values()):
        transforms.append(
            {"type": "translation", "translation": [float(places[axis]) for axis in spatial]}
        )
    axes = [
        {"name": axis, "type": "space"} | ({"unit": units[axis]} if units[axis] else {})
        for axis in spatial
    ]
    content: dict[str, Any] = {
        "multiscales": [
            {
                "name": name,
                "axes": axes,
                "datasets": [{"path": "0", "coordinateTransformations": transforms}],
            }
        ],
        "image-label": {
            "colors": [
                {"label-value": value, "rgba": [*map(int, colour), 255]}
                for value, colour in enumerate(colours or ())
            ]
        },
    }
    if zarr_format == 3:
        return 3, {"ome": {"version": version, **content}}
    content["multiscales"][0]["version"] = version
    content["image-label"]["version"] = version
    return 2, content


def _read_attributes(path: Path) -> tuple[dict[str, Any], int]:
    """The OME part of a group's attributes, and the version of the Zarr format."""
    new = path / "zarr.json"
    if new.is_file():
        attributes = json.loads(new.read_text("utf-8")).get("attributes", {})
        return dict(attributes.get("ome", attributes)), 3
    old = path / ".zattrs"
    return (dict(json.loads(old.read_text("utf-8"))) if old.is_file() else {}), 2


def _read_axes(scale: Mapping[str, Any], n_dims: int) -> tuple[str, dict[str, str]]:
    """Letters of the stored axes, and the units of those that have one."""
    given = scale.get("axes")
    if given is None:  # before version 0.3 there were always five
        return _OLD_AXES[-n_dims:], {}
    if all(isinstance(axis, str) for axis in given):
        return "".join(given), {}
    names = [str(axis["name"]).lower() for axis in given]
    units = {n: str(axis["unit"]) for n, axis in zip(names, given, strict=True) if "unit" in axis}
    return "".join(name if len(name) == 1 else "?" for name in names), units


def _transforms(
    scale: Mapping[str, Any], dataset: Mapping[str, Any], axes: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Scale and translation of each axis: those of the level, then those of the image."""
    steps, places = np.ones(len(axes)), np.zeros(len(axes))
    for owner in (dataset, scale):
        for item in owner.get("coordinateTransformations", ()):
            if item.get("type") == "scale":
                factors = np.asarray(item["scale"], float)
                steps, places = steps * factors, places * factors
            elif item.get("type") == "translation":
                places = places + np.asarray(item["translation"], float)
    if not (np.isfinite(steps).all() and (steps > 0).all() and np.isfinite(places).all()):
        raise ValueError(f"its scale is {steps.tolist()}, its translation {places.tolist()}")
    return dict(zip(axes, map(float, steps))), dict(zip(axes, map(float, places)))


def _channel_names(attributes: Mapping[str, Any], n_channels: int) -> tuple[str, ...]:
    channels = attributes.get("omero", {}).get("channels", [])
    names = tuple(str(channel.get("label", "")) for channel in channels)
    is_usable = len(names) == n_channels and all(names) and len(set(names)) == n_channels
    return names if is_usable else ()


def _notes(path: Path, n_levels: int, n_scales: int) -> tuple[Problem, ...]:
    texts = []
    if n_levels > 1:
        texts.append(f"{n_levels - 1} coarser levels of the image in it were left out")
    if n_scales > 1:
        texts.append(f"it holds {n_scales} multiscale images; the first one is read")
    return tuple(
        Problem(text, path=shown(path), severity="note", code="ome-zarr") for text in texts
    )


def _no_image(path: Path, attributes: Mapping[str, Any]) -> UnreadableFile:
    inner = sorted(p.name for p in path.iterdir() if p.is_dir() and is_zarr_folder(p))
    if "plate" in attributes or "well" in attributes:
        what = "it is a plate or well of many images"
    elif inner:
        what = f"it is no image but a group of {', '.join(inner[:5])}"
    else:
        what = "it is a Zarr array without the metadata of OME, which name its axes"
    return _refuse(
        path,
        what,
        "an OME-Zarr image (a group with multiscales)",
        f"Give one of the images inside, for example {path.name}/{inner[0]}." if inner else "",
    )


def _refuse(path: Path, what: str, expected: str, remedy: str = "") -> UnreadableFile:
    return UnreadableFile(
        what,
        expected,
        remedy or "Convert it to such an OME-Zarr image.",
        path=shown(path),
        code="not-an-image",
    )
