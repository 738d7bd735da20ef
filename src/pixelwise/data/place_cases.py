"""The files of one place become cases: channels joined, masks paired, polygons looked up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pixelwise.core.case import Case
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.data.channel_files import (
    ChannelOf,
    ChannelSets,
    ImageFiles,
    channels_by_masks,
    collect_channels,
    numbered_channels,
)
from pixelwise.data.finding import Finding
from pixelwise.data.layout import Place, has_masks_beside
from pixelwise.data.listing import drop_clashes, stem_key
from pixelwise.data.pairing import mask_stem, pair_masks
from pixelwise.data.polygons import polygon_label, read_annotations
from pixelwise.readers import image_stem


def add_place(finding: Finding, place: Place, allow_unpaired: bool) -> None:
    """Add the cases of a place to what was found, and its problems."""
    if place.images and not place.masks:
        if place.annotations and _add_polygons(finding, place, allow_unpaired):
            return
        if place.split == "test":
            finding.problems.append(
                Problem(
                    f"its {len(place.images)} images have no masks and are not used for tests",
                    path=shown(place.folder),
                    severity="note",
                    code="no-masks",
                )
            )
            return
    if place.images and not place.masks:
        _, clashes = drop_clashes(place.images)
        finding.problems += [*clashes, no_masks(place.folder)]
        return
    if place.images == [place.folder] and len(place.masks) == 1:
        folder, mask = place.folder, place.masks[0]
        finding.pairing = f"{folder.name}/ is one DICOM series, {shown(mask.name)} is its mask"
        finding.cases.append(Case(image_stem(folder), folder, mask, split=place.split))
        return
    channel_of = place.channel_of or _find_channels(finding, place)
    if channel_of:
        _add_channel_cases(finding, place, channel_of, allow_unpaired)
        return
    pairing = pair_masks(
        place.images,
        place.masks,
        pattern=finding.description.mask_pattern,
        allow_unpaired=allow_unpaired,
    )
    finding.problems += pairing.problems
    finding.pairing = pairing.sentence
    finding.cases += [
        Case(image_stem(image), image, mask, split=place.split) for image, mask in pairing.pairs
    ]


def no_masks(folder: Path) -> Problem:
    """The problem of images without masks."""
    remedy = "Add the masks; prediction alone needs none."
    if has_masks_beside(folder):
        remedy = f"Give the folder that holds both: {shown(folder.parent)}"
    return Problem(
        "no masks were found for the images",
        "a folder masks/ (or labels, annotations, gt, "
        "manual …) beside images/, masks named like NAME_mask beside their images, or COCO or "
        "LabelMe annotations",
        remedy,
        shown(folder),
        code="no-masks",
    )


def _find_channels(finding: Finding, place: Place) -> ChannelOf:
    """Channels told by the names of images and masks; {} where each mask has one image."""
    keys = {key for mask in place.masks for key in (stem_key(image_stem(mask)), mask_stem(mask))}
    if any(stem_key(image_stem(image)) in keys for image in place.images):
        return {}
    numbered = numbered_channels(place.images)
    if numbered and any(case in keys for case, _ in numbered.values()):
        return numbered
    return channels_by_masks(place.images, place.masks)


def _add_channel_cases(
    finding: Finding, place: Place, channel_of: ChannelOf, allow_unpaired: bool
) -> None:
    sets = collect_channels(channel_of, finding.description.channel_names)
    for problem in sets.problems:
        is_left_out = allow_unpaired and problem.code == "missing-channel"
        severity = "warning" if is_left_out else problem.severity
        finding.problems.append(replace(problem, severity=severity))
    _keep_names(finding, sets, place.folder)
    files = {_stand_in(image): image for image in sets.cases}
    if place.mask_of:
        pairs = [(p, place.mask_of[f.stem]) for p, f in files.items() if f.stem in place.mask_of]
        alone = [image for image in sets.cases if image.stem not in place.mask_of]
        finding.problems += [_without_mask(image, allow_unpaired) for image in alone]
    else:
        lacking = {case for case, _ in channel_of.values()} - {image.stem for image in sets.cases}
        masks = [m for m in place.masks if not {stem_key(image_stem(m)), mask_stem(m)} & lacking]
        pairing = pair_masks(
            list(files),
            masks,
            pattern=finding.description.mask_pattern,
            allow_unpaired=allow_unpaired,
        )
        real = {shown(stand_in): shown(image.paths[0]) for stand_in, image in files.items()}
        finding.problems += [replace(p, path=real.get(p.path, p.path)) for p in pairing.problems]
        finding.pairing = pairing.sentence
        pairs = pairing.pairs
    finding.pairing = "; ".join(filter(None, (sets.sentence, finding.pairing)))
    for stand_in, mask in pairs:
        image = files[stand_in]
        finding.cases.append(
            Case(image.stem, image.paths[0], mask, split=place.split, channels=image.paths)
        )


def _keep_names(finding: Finding, sets: ChannelSets, folder: Path) -> None:
    if finding.channel_names and finding.channel_names != sets.names:
        finding.problems.append(
            Problem(
                f"its images have the channels {', '.join(sets.names)}, others of the set "
                f"{', '.join(finding.channel_names)}",
                "the same channels everywhere",
                "Add what is missing, or correct the names.",
                shown(folder),
                code="channel-names",
            )
        )
    finding.channel_names = finding.channel_names or sets.names


def _stand_in(image: ImageFiles) -> Path:
    """A path with the name that an image of one file would have, for pairing by name."""
    first = image.paths[0]
    return first.with_name(image.stem + first.name[len(image_stem(first)) :])


def _without_mask(image: ImageFiles, allow_unpaired: bool) -> Problem:
    return Problem(
        f"the image {image.stem!r} has no mask",
        "a file named like seg or mask in the folder of the case",
        "Add it, or leave such images out with --allow-unpaired.",
        shown(image.paths[0].parent),
        "warning" if allow_unpaired else "error",
        "image-without-mask",
    )


def _add_polygons(finding: Finding, place: Place, allow_unpaired: bool) -> bool:
    """Cases whose labels are polygons; False if the annotation files hold none."""
    found: dict[str, tuple[Path, str]] = {}
    for path in place.annotations:
        try:
            drawings = read_annotations(path)
        except UserError as error:
            finding.problems += error.problems
            continue
        for name, drawing in (drawings or {}).items():
            found[name] = (path, name)
            finding.drawings[f"{path}#{name}"] = drawing
    if not found:
        return False
    images, clashes = drop_clashes(place.images)
    finding.problems += clashes
    for image in images:
        match = found.get(image.name) or found.get(image_stem(image))
        if match is not None:
            label = polygon_label(*match)
            finding.cases.append(Case(image_stem(image), image, label, split=place.split))
        else:
            finding.problems.append(
                Problem(
                    "this image is in no annotation file",
                    "polygons for every image",
                    "Add them, or leave such images out with --allow-unpaired.",
                    shown(image),
                    "warning" if allow_unpaired else "error",
                    "image-without-mask",
                )
            )
    finding.pairing = "polygons belong to the image that their annotation file names"
    return True
