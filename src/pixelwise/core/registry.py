"""Parts by name: networks, losses, metrics, readers, tasks; their signature is their options."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from pixelwise.core.errors import BadPlan, Problem, UnknownName

Part = TypeVar("Part", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Option:
    """One keyword-only parameter of a registered part."""

    name: str
    annotation: Any
    default: Any
    is_required: bool

    def accepts(self, value: Any) -> bool:
        """Whether `value` fits the annotation (int counts as float, list as tuple)."""
        return _fits(value, self.annotation)

    def describe(self) -> str:
        """The permitted values in words."""
        return _describe(self.annotation)


@dataclass(frozen=True, slots=True)
class Entry(Generic[Part]):
    """A registered part with what the system may want to know about it before calling it."""

    name: str
    part: Part
    options: Mapping[str, Option]
    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Registry(Generic[Part]):
    """The parts of one kind. Modules of `package` are imported at the first look-up.

    A part is a function: positional parameters come from the system, keyword-only
    parameters are the user's options. `facts` given at registration are static
    properties of the part (`dimensions=(2, 3)`), open to planner and tests. hint: what to
    say to a name that is not ours but known elsewhere, "" if it is unknown there too.
    """

    def __init__(self, kind: str, package: str, hint: Callable[[str], str] | None = None) -> None:
        self.kind = kind
        self.package = package
        self._hint = hint
        self._entries: dict[str, Entry[Part]] = {}
        self._is_loaded = False

    def register(self, name: str, **facts: Any) -> Callable[[Part], Part]:
        """Decorator that makes a function available under `name`."""

        def add(part: Part) -> Part:
            known = self._entries.get(name)
            if known is not None and known.part.__module__ != part.__module__:
                raise UnknownName(
                    f"two {self.kind}s are called {name!r}: {known.part.__module__} and "
                    f"{part.__module__}",
                    "one name for each",
                    "Rename one of them.",
                )
            summary = (inspect.getdoc(part) or "").split("\n", 1)[0]
            self._entries[name] = Entry(name, part, _read_options(part), summary, dict(facts))
            return part

        return add

    def names(self) -> list[str]:
        """All registered names, sorted."""
        self._load()
        return sorted(self._entries)

    def find(self, name: str) -> Entry[Part]:
        """The entry called `name`. Raises UnknownName with the nearest names."""
        self._load()
        if name not in self._entries:
            raise UnknownName(self.unknown(name))
        return self._entries[name]

    def unknown(self, name: str) -> Problem:
        """The problem that `name` is not registered, with suggestions."""
        return Problem(
            f"there is no {self.kind} called {name!r}",
            f"one of {', '.join(self.names())}",
            (self._hint(name) if self._hint else "") or suggest(name, self.names()),
            code="unknown-name",
        )

    def check(self, name: str, options: Mapping[str, Any]) -> list[Problem]:
        """Everything that is wrong with a name and its options, all at once."""
        self._load()
        if name not in self._entries:
            return [self.unknown(name)]
        known = self._entries[name].options
        problems = []
        for key, value in options.items():
            if key not in known:
                problems.append(
                    Problem(
                        f"{self.kind} {name} has no option {key!r}",
                        f"one of {', '.join(known) or 'none: it takes no options'}",
                        suggest(key, known),
                        code="unknown-option",
                    )
                )
            elif not known[key].accepts(value):
                problems.append(
                    Problem(
                        f"option {key} of {self.kind} {name} is {value!r}",
                        known[key].describe(),
                        f"The default is {known[key].default!r}.",
                        code="bad-option",
                    )
                )
        missing = [o.name for o in known.values() if o.is_required and o.name not in options]
        problems += [
            Problem(
                f"{self.kind} {name} needs the option {option!r}",
                known[option].describe(),
                "Give it a value.",
                code="missing-option",
            )
            for option in missing
        ]
        return problems

    def build(self, name: str, *system: Any, options: Mapping[str, Any]) -> Any:
        """Call the part with what the system hands it and the user's options, checked."""
        problems = self.check(name, options)
        if problems:
            raise BadPlan(problems)
        values = {key: _as_annotated(value) for key, value in options.items()}
        return self._entries[name].part(*system, **values)

    def defaults(self, name: str) -> dict[str, Any]:
        """The options of a part with their default values."""
        return {o.name: o.default for o in self.find(name).options.values() if not o.is_required}

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")


def suggest(name: str, known: Iterable[str]) -> str:
    """'Did you mean …?' if something close is known, else an empty string."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(close)}?" if close else ""


def _read_options(part: Callable[..., Any]) -> dict[str, Option]:
    hints = typing.get_type_hints(part)
    options = {}
    for parameter in inspect.signature(part).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            is_required = parameter.default is inspect.Parameter.empty
            default = None if is_required else parameter.default
            annotation = hints.get(parameter.name, Any)
            options[parameter.name] = Option(parameter.name, annotation, default, is_required)
    return options


def _as_annotated(value: Any) -> Any:
    return tuple(_as_annotated(item) for item in value) if isinstance(value, list) else value


def _fits(value: Any, annotation: Any) -> bool:
    if annotation is Any:
        return True
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return value in args and not (isinstance(value, bool) and value not in (True, False))
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, choice) for choice in args)
    if origin in (tuple, list) or _is_sequence_type(origin):
        return _fits_sequence(value, args)
    if annotation is None or annotation is type(None):
        return value is None
    if annotation is bool:
        return isinstance(value, bool)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin is not None:
        return isinstance(value, origin)
    return isinstance(value, annotation)


def _is_sequence_type(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, typing.Sequence)


def _fits_sequence(value: Any, args: tuple[Any, ...]) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if (len(args) == 2 and args[1] is Ellipsis) or len(args) == 1:
        return all(_fits(item, args[0]) for item in value)
    return len(args) == len(value) and all(
        _fits(item, arg) for item, arg in zip(value, args, strict=True)
    )


def _describe(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(str(arg) for arg in args)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_describe(arg) for arg in args)
    if annotation is type(None):
        return "nothing (null)"
    words = {bool: "true or false", float: "a number", int: "a whole number", str: "a text"}
    if annotation in words:
        return words[annotation]
    if origin in (tuple, list) and args:
        return f"a list, each {_describe(args[0])}"
    return str(getattr(annotation, "__name__", annotation))
