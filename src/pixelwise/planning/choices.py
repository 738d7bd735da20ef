"""The planner's single choices: patch, intensities, augmentation, tiles; each with its reason."""

from __future__ import annotations

import math

from pixelwise.core.plan import AugmentationSection, IntensitySection
from pixelwise.core.records import ChannelFacts, Choice, Facts
from pixelwise.planning.volumes import Grid, volume_patch

PATCH_EDGE = 256
VOLUME_EDGE, LONG_VOLUME_EDGE = 48, 64
LONG_SECONDS = 1800.0
"""Trainings from this length on get larger patches of volumes; shorter ones need the steps."""

BATCH_PIXELS = {2: 4 * 256**2, 3: 2 * 48**3}
LARGEST_BATCH = 32

TILE_EDGE = {2: 448, 3: 96}
HALO = {2: 32, 3: 16}

ASYMMETRIC = 0.4
"""Above this difference between a class and its mirror image, an axis has an up and a down:
mirroring would show the network what it never meets. Street scenes and brain structures give
0.5 to 0.9, cells, vessels and lesions at most 0.3."""

NARROW = 2.5
"""Objects whose intensities take less than one part of this many of all have a window of their
own: tissue among air, bone and metal. A brain among its own tissues has a ratio near 1."""

CUT_AWAY = 0.25
"""From this median share of zeros on, volumes were cut out of something; as nnU-Net has it."""

SHIFTING = 0.35
"""If the mean intensities of the images spread more than this share of the spread within
images, intensities are no common scale, and each image is normalised by itself."""


def choose_patch(
    facts: Facts, grid: Grid, seconds: float
) -> tuple[tuple[int, ...], int, list[Choice]]:
    """Edge lengths of a patch and patches per batch. seconds: that the training may take."""
    n_dims = len(grid.shape)
    if n_dims == 2:
        patch = tuple(min(PATCH_EDGE, -(-length // 16) * 16) for length in grid.shape)
    else:
        edge = VOLUME_EDGE if seconds < LONG_SECONDS else LONG_VOLUME_EDGE
        patch = volume_patch(grid.shape, grid.steps, edge**3)
    batch = max(2, min(LARGEST_BATCH, BATCH_PIXELS[n_dims] // math.prod(patch)))
    shape = " x ".join(str(length) for length in facts.median_shape)
    reason = Choice(
        field="sampling.patch",
        value=" x ".join(str(length) for length in patch) + f", {batch} at a time",
        fact=f"the median image is {shape}",
        reason="Patches give many different examples per image and a bounded cost per step.",
    )
    return patch, batch, [reason]


def choose_intensity(facts: Facts) -> tuple[IntensitySection, Choice]:
    """Whether all images share one intensity scale, and which."""
    shift = _relative_shift(facts)
    is_shared = shift <= SHIFTING
    scheme = "data set" if is_shared else "image"
    is_window = is_shared and _has_window(facts)
    without_zeros = not is_shared and _median_zero_share(facts) > CUT_AWAY
    limits = [_window(channel) if is_window else _limits(channel) for channel in facts.channels]
    numbers = [
        channel.foreground[:2] if is_window else (channel.mean, channel.std)
        for channel in facts.channels
    ]
    section = IntensitySection(
        scheme=scheme,  # type: ignore[arg-type]  # checked by pydantic
        centre=tuple(mean for mean, _ in numbers),
        scale=tuple(max(std, 1e-6) for _, std in numbers),
        low=tuple(low for low, _ in limits),
        high=tuple(high for _, high in limits),
        channels=facts.channel_names,
        without_zeros=without_zeros,
    )
    reason = Choice(
        field="intensity.scheme",
        value=scheme + (", of the objects' range" if is_window else ""),
        fact=f"image means spread by {shift:.2f} of the spread within images",
        reason=_intensity_reason(facts, is_shared=is_shared, is_window=is_window)
        + (" Pixels that are 0 lie around the object and do not count." if without_zeros else ""),
    )
    return section, reason


def _intensity_reason(facts: Facts, *, is_shared: bool, is_window: bool) -> str:
    if not is_shared:
        return "Images differ in exposure, so each is brought to mean 0 and deviation 1 by itself."
    if not is_window:
        return "Intensities mean the same in all images, so one scale keeps that."
    shown = ", ".join("{:.4g} to {:.4g}".format(*_window(channel)) for channel in facts.channels)
    return (
        "Intensities mean the same in all images, and the objects lie in a narrow part of them: "
        f"{shown} is spread out, the rest is clipped."
    )


def _has_window(facts: Facts) -> bool:
    """Whether the objects of volumes lie in a narrow part of all intensities, as in CT."""
    if facts.n_dims == 2 or not all(channel.foreground for channel in facts.channels):
        return False
    ranges = [
        (c.percentile_995 - c.percentile_005, _window(c)[1] - _window(c)[0]) for c in facts.channels
    ]
    return all(0 < NARROW * inside < whole for whole, inside in ranges)


def _window(channel: ChannelFacts) -> tuple[float, float]:
    """The 0.5 and 99.5 percentiles of the labelled objects."""
    return channel.foreground[2], channel.foreground[3]


def _median_zero_share(facts: Facts) -> float:
    """Of volumes; pictures may well be black somewhere without anything being cut away."""
    shares = sorted(case.zero_share for case in facts.cases)
    return shares[len(shares) // 2] if shares and facts.n_dims == 3 else 0.0


def choose_augmentation(
    facts: Facts, patch: tuple[int, ...], grid: Grid
) -> tuple[AugmentationSection, list[Choice]]:
    """Strengths of the augmentation, and the axes along which the data has no direction."""
    asymmetry = facts.asymmetry or (0.0,) * facts.n_dims
    free = tuple(axis for axis, value in enumerate(asymmetry) if value < ASYMMETRIC)
    is_upright = len(free) < facts.n_dims
    is_picture = facts.n_dims == 2
    names = ("z", "y", "x")[-facts.n_dims :]
    section = AugmentationSection(
        rotation=_rotation(free, grid, is_picture=is_picture),
        scaling=0.25,
        shear=0.1,
        elastic=0.0 if is_upright and is_picture else min(patch) / 32,
        mirror_axes=free,
        intensity=1.0,
        colour=1.0 if facts.is_colour else 0.0,
        still_axis=grid.still_axis,
    )
    measured = ", ".join(
        f"{name} {value:.2f}" for name, value in zip(names, asymmetry, strict=True)
    )
    reason = Choice(
        field="augmentation.mirror_axes",
        value=", ".join(names[axis] for axis in free) or "none",
        fact=f"asymmetry of the class maps: {measured} (0 symmetric, 1 most)",
        reason="The images have an up and a down: turning them over would be misleading."
        if is_upright
        else "No direction is special, so all mirror images and turns are true examples.",
    )
    return section, [reason]


def _rotation(free: tuple[int, ...], grid: Grid, *, is_picture: bool) -> float:
    """Bodies turn a little in space; what has no direction in a plane turns all around in it."""
    still = grid.still_axis
    plane = [axis for axis in range(2 if is_picture else 3) if axis != still]
    if len(plane) == 2 and all(axis in free for axis in plane):
        return 180.0
    return 10.0 if is_picture else 20.0


def choose_tile(grid: Grid) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Edge lengths of an inference tile without halo, and the halo."""
    n_dims = len(grid.shape)
    return (TILE_EDGE[n_dims],) * n_dims, (HALO[n_dims],) * n_dims


def _relative_shift(facts: Facts) -> float:
    means = [case.means for case in facts.cases if case.means]
    stds = [case.stds for case in facts.cases if case.stds]
    if len(means) < 2:
        return 0.0
    shifts = []
    for channel in range(min(len(m) for m in means)):
        values = [m[channel] for m in means]
        centre = sum(values) / len(values)
        between = math.sqrt(sum((v - centre) ** 2 for v in values) / len(values))
        within = sum(s[channel] for s in stds) / len(stds)
        shifts.append(between / max(within, 1e-9))
    return sum(shifts) / len(shifts)


def _limits(channel: ChannelFacts) -> tuple[float, float]:
    """Far outliers are cut off at three times the range of 99 % of the pixels."""
    low, high = channel.percentile_005, channel.percentile_995
    reach = 3 * max(high - low, 1e-6)
    return max(channel.minimum, low - reach), min(channel.maximum, high + reach)
