"""Which class stands for "nothing here": told by its name, or by there being only two."""

from __future__ import annotations

from collections.abc import Sequence

BACKGROUND_NAMES = frozenset({"background", "bg", "back", "none", "outside", "rest", "other"})


def find_background(class_names: Sequence[str]) -> int | None:
    """0 if class 0 is called so or is one of two classes, else None: every class is a thing."""
    if not class_names:
        return None
    is_named = class_names[0].strip().lower() in BACKGROUND_NAMES
    return 0 if is_named or len(class_names) == 2 else None
