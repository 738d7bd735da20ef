"""Which mask belongs to which image: by name, with the same addition to every name if any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.data.listing import drop_clashes, stem_key
from pixelwise.readers import image_stem

_N_NAMED = 20
_SEPARATORS = "_-. "
MASK_WORD = re.compile(
    r"[_\-. ](masks?|seg|segm|segmentations?|labels?|label(ids|trainids)|gt|truth|ground_?truth|"
    r"manual\d*|annotations?|annot|lesions?|\d(st|nd)ho|target|vessels?)\Z",
    re.IGNORECASE,
)
"""Endings of stems that say "mask" where images and masks lie in one folder."""


@dataclass(slots=True)
class Pairing:
    """Images with their masks, the rule in words, and what has no partner."""

    pairs: list[tuple[Path, Path]] = field(default_factory=list)
    sentence: str = "masks have the names of their images"
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What names have besides the part that image and mask share."""

    image_suffix: str = ""
    mask_prefix: str = ""
    mask_suffix: str = ""

    def image_key(self, path: Path) -> str:
        stem = stem_key(image_stem(path))
        return stem.removesuffix(self.image_suffix) if self.image_suffix else stem

    def mask_key(self, path: Path) -> str | None:
        stem = stem_key(image_stem(path))
        if not (stem.startswith(self.mask_prefix) and stem.endswith(self.mask_suffix)):
            return None
        end = len(stem) - len(self.mask_suffix)
        return stem[len(self.mask_prefix) : end] if end > len(self.mask_prefix) else None

    def describe(self) -> str:
        image, mask = f"NAME{self.image_suffix}", f"{self.mask_prefix}NAME{self.mask_suffix}"
        return f"image {image} belongs to mask {mask}"


def pair_masks(
    images: Sequence[Path],
    masks: Sequence[Path],
    *,
    pattern: str | None = None,
    allow_unpaired: bool = False,
) -> Pairing:
    """Pair images and masks by stem, or by an addition that all masks have.

    pattern ("{stem}_mask") sets the addition; without one it is found if a single one
    explains every mask. Whatever has no partner is an error, or a warning if that is
    allowed; it is never paired by guess.
    """
    pairing = Pairing()
    images, clashes = drop_clashes(images)
    masks, mask_clashes = drop_clashes(masks)
    pairing.problems += [*clashes, *mask_clashes]
    clashing = {name for problem in clashes for name in _clash_keys(problem)}
    rule = _given_rule(pattern) if pattern else _find_rule(images, masks)
    if rule != _Rule():
        pairing.sentence = rule.describe()
    by_key = {rule.mask_key(mask): mask for mask in masks}
    by_key.pop(None, None)
    lonely = []
    for image in images:
        mask = by_key.pop(rule.image_key(image), None)
        if mask is None:
            lonely.append(image)
        else:
            pairing.pairs.append((image, mask))
    paired = {mask for _, mask in pairing.pairs}
    orphans = [
        mask
        for mask in masks
        if mask not in paired and stem_key(image_stem(mask)).casefold() not in clashing
    ]
    if not pairing.pairs and images and masks:
        pairing.problems.append(_nothing_fits(images[0], masks[0]))
    else:
        severity = "warning" if allow_unpaired and pairing.pairs else "error"
        pairing.problems += _unpaired(lonely, "image", "mask", severity)
        pairing.problems += _unpaired(orphans, "mask", "image", severity)
    return pairing


def mask_stem(path: Path) -> str:
    """The stem of a mask without an ending like _mask."""
    return MASK_WORD.sub("", stem_key(image_stem(path)))


def split_by_name(pictures: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Images and masks of a folder that holds both, told apart by endings like _mask."""
    masks = [path for path in pictures if MASK_WORD.search(image_stem(path))]
    return [path for path in pictures if path not in masks], masks


def _given_rule(pattern: str) -> _Rule:
    prefix, _, suffix = stem_key(pattern).partition("{stem}")
    return _Rule("", prefix, suffix)


def _find_rule(images: Sequence[Path], masks: Sequence[Path]) -> _Rule:
    """The rule under which every mask has an image; exact names if there is no single one."""
    exact = _Rule()
    if not images or not masks or _n_paired(exact, images, masks):
        return exact
    common = _common_suffix([stem_key(image_stem(path)) for path in images])
    for image_suffix in dict.fromkeys(("", common)):
        if _n_paired(_Rule(image_suffix), images, masks) == len(masks):
            return _Rule(image_suffix)
        candidates = _candidates(image_suffix, images, masks)
        complete = [r for r in candidates if _n_paired(r, images, masks) == len(masks)]
        if len(complete) == 1:
            return complete[0]
        if not complete and len(candidates) == 1 and _n_paired(candidates[0], images, masks):
            return candidates[0]
    return exact


def _candidates(image_suffix: str, images: Sequence[Path], masks: Sequence[Path]) -> list[_Rule]:
    """Every addition that turns the name of some image into that of a mask."""
    keys = sorted({_Rule(image_suffix).image_key(image) for image in images}, key=len, reverse=True)
    found: Counter[_Rule] = Counter()
    for mask in masks:
        stem = stem_key(image_stem(mask))
        for key in keys:
            rest = stem.removeprefix(key)
            if key and rest != stem and rest[:1] in tuple(_SEPARATORS):
                found[_Rule(image_suffix, "", rest)] += 1
                break
            rest = stem.removesuffix(key)
            if key and rest != stem and rest[-1:] in tuple(_SEPARATORS):
                found[_Rule(image_suffix, rest, "")] += 1
                break
    return list(found)


def _n_paired(rule: _Rule, images: Sequence[Path], masks: Sequence[Path]) -> int:
    keys = {rule.image_key(image) for image in images}
    return sum(rule.mask_key(mask) in keys for mask in masks)


def _common_suffix(stems: Sequence[str]) -> str:
    """What all stems end in, from a separator on; empty if there is one stem only."""
    if len(stems) < 2:
        match = re.search(r"[_\-. ][A-Za-z0-9]+\Z", stems[0]) if stems else None
        return match.group() if match else ""
    shared = min(stems, key=len)
    while not all(stem.endswith(shared) for stem in stems):
        shared = shared[1:]
    starts = [index for index, letter in enumerate(shared) if letter in _SEPARATORS]
    return shared[starts[0] :] if starts else ""


def _clash_keys(problem: Problem) -> set[str]:
    names = problem.what.split(": ", 1)[1].split(", ")
    return {stem_key(image_stem(Path(name))).casefold() for name in names}


def _nothing_fits(image: Path, mask: Path) -> Problem:
    return Problem(
        f"no image could be paired with a mask: the images have names like {shown(image.name)!r}, "
        f"the masks like {shown(mask.name)!r}",
        "masks named like their images, or with the same addition to every name",
        'Rename them, or write into dataset.json how masks are named: {"mask_pattern": '
        '"{stem}_mask"}.',
        shown(mask.parent),
        code="no-pairs",
    )


def _unpaired(paths: Sequence[Path], kind: str, other: str, severity: str) -> list[Problem]:
    problems = [
        Problem(
            f"this {kind} has no {other}",
            f"a{'n' if other == 'image' else ''} {other} of the same name",
            f"Add the {other}, remove the {kind}, or leave such files out with --allow-unpaired."
            if severity == "error"
            else f"The {kind} is left out.",
            shown(path),
            "error" if severity == "error" else "warning",
            f"{kind}-without-{other}",
        )
        for path in paths[:_N_NAMED]
    ]
    if len(paths) > _N_NAMED:
        names = ", ".join(shown(path.name) for path in paths[_N_NAMED : 2 * _N_NAMED])
        problems.append(
            Problem(
                f"{len(paths) - _N_NAMED} more {kind}s have no {other}: {names} …",
                path=shown(paths[0].parent),
                severity="error" if severity == "error" else "warning",
                code=f"{kind}-without-{other}",
            )
        )
    return problems
