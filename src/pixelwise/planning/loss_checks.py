"""Whether a plan's loss can be what its section asks for: weights of classes and of pixels."""

from __future__ import annotations

from collections.abc import Sequence

from pixelwise.core.errors import Problem
from pixelwise.core.plan import Plan
from pixelwise.losses import LOSSES

_WEIGHT_OPTIONS = ("class_weights", "region_weights")


def check_loss(plan: Plan, path: str = "") -> list[Problem]:
    """All problems of a plan's loss section that are not of single options."""
    section, name = plan.loss, plan.loss.name
    if name not in LOSSES.names():
        return []
    entry = LOSSES.find(name)
    option = next((key for key in _WEIGHT_OPTIONS if key in entry.options), None)
    given = section.options.get(option) if option else None
    problems: list[tuple[str, str, str]] = []
    if section.class_weights != "none" and option is None:
        able = [n for n in _of_kind(plan) if set(_WEIGHT_OPTIONS) & set(LOSSES.find(n).options)]
        problems.append(
            (
                f"loss {name} takes no weights of classes, and loss.class_weights is "
                f"{section.class_weights}",
                f"a loss that does: {', '.join(able)}",
                "Choose one of these, or loss.class_weights=none.",
            )
        )
    if section.class_weights != "none" and given is not None:
        problems.append(
            (
                f"weights of classes are given ({list(given)}) and to be computed "
                f"({section.class_weights})",
                "one of both",
                f"Leave loss.options.{option} or loss.class_weights out.",
            )
        )
    if isinstance(given, list | tuple):
        problems += _check_weights(given, len(plan.data.classes), str(option))
    if section.border_peak > 0 and plan.data.labels.holds_regions:
        problems.append(
            (
                f"loss.border_peak is {section.border_peak:g} and the masks hold regions that "
                "may overlap",
                "0: border weights part objects of one class",
                "Leave it out.",
            )
        )
    elif section.border_peak > 0 and not entry.facts.get("pixel_weights"):
        able = [n for n in LOSSES.names() if LOSSES.find(n).facts.get("pixel_weights")]
        problems.append(
            (
                f"loss {name} takes no weights of pixels, and loss.border_peak is "
                f"{section.border_peak:g}",
                f"a loss that does: {', '.join(able)}",
                "Choose one of these, or loss.border_peak=0.",
            )
        )
    smoothing = section.options.get("label_smoothing", 0.0)
    if isinstance(smoothing, int | float) and not 0 <= smoothing < 1:
        problems.append(
            (f"loss.options.label_smoothing is {smoothing:g}", "0 to below 1", "Take 0.1.")
        )
    return [Problem(*parts, path, code="bad-loss") for parts in problems]


def _check_weights(
    given: Sequence[float], n_classes: int, option: str
) -> list[tuple[str, str, str]]:
    numbers = [value for value in given if isinstance(value, int | float)]
    is_fit = len(numbers) == len(given) == n_classes
    if is_fit and min(numbers) >= 0 and max(numbers) > 0:
        return []
    return [
        (
            f"loss.options.{option} is {list(given)}",
            f"{n_classes} numbers, one for each class, none below 0 and not all 0",
            "Correct it, or let loss.class_weights compute them.",
        )
    ]


def _of_kind(plan: Plan) -> list[str]:
    wanted = "regions" if plan.data.labels.holds_regions else "classes"
    return [n for n in LOSSES.names() if LOSSES.find(n).facts.get("targets", "classes") == wanted]
