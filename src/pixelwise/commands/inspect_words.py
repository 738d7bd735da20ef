"""What terminal and page say about an inspection in the same words."""

from __future__ import annotations

from collections.abc import Sequence

from pixelwise.commands.inspection import ComparedNetwork, PixelMap
from pixelwise.explanation.border_check import BorderInfluence
from pixelwise.explanation.receptive import ReceptiveField


def shape_text(shape: Sequence[int]) -> str:
    """A spatial shape as people write it: 572 x 572."""
    return " x ".join(map(str, shape))


def sees_text(field: ReceptiveField) -> str:
    """A receptive field in words, axis by axis where they differ."""
    if field.sizes is None:
        return "the whole image"
    axes = "zyx"[-len(field.by_axis) :]
    widths = [" or ".join(map(str, sizes)) for sizes in field.by_axis]
    if len(set(widths)) > 1:
        return ", ".join(f"{axis} {width}" for axis, width in zip(axes, widths, strict=True))
    return f"{widths[0]} pixels"


def border_sentence(border: BorderInfluence) -> str:
    """How far padding inside is felt, in words; the measurement ends half a piece inside."""
    if border.felt == 0:
        return "Padding inside changes the answer nowhere by 1 % of its spread."
    if border.felt >= len(border.change):
        return (
            f"The padding inside is felt at all of the {border.felt} pixels from the border that "
            "were measured (the answer changes by at least 1 % of its spread)."
        )
    return (
        f"The padding inside is felt up to {border.felt} pixels from the border (the answer "
        "changes by at least 1 % of its spread)."
    )


def pixel_sentences(pixel: PixelMap | None) -> tuple[str, ...]:
    """Which input an output pixel sees, and which output the input pixel under it changes."""
    if pixel is None:
        return ()
    axes = "zyx"[-len(pixel.output) :]
    seen = ", ".join(_span(axis, region) for axis, region in zip(axes, pixel.sees, strict=True))
    changed = ", ".join(
        _span(axis, region) for axis, region in zip(axes, pixel.changes, strict=True)
    )
    return (
        f"The output pixel ({_place(pixel.output)}) sees the input pixels {seen}.",
        f"The input pixel ({_place(pixel.input)}) under it changes the output pixels {changed}.",
    )


def cost_heads(networks: Sequence[ComparedNetwork]) -> tuple[str, ...]:
    """Heads of the columns with measured times: one per precision, none if not measured."""
    costs = networks[0].costs if networks else ()
    return tuple(f"{cost.precision} ms" for cost in costs)


def cost_cells(network: ComparedNetwork) -> tuple[str, ...]:
    """Milliseconds of a forward pass in each precision."""
    return tuple(f"{cost.forward_ms:.1f}" for cost in network.costs)


def _place(pixel: Sequence[int]) -> str:
    return ", ".join(map(str, pixel))


def _span(axis: str, region: tuple[int, int] | None) -> str:
    return f"{axis} {region[0]} to {region[1]}" if region else f"{axis} none"
