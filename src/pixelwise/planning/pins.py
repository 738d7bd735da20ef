"""What the user has fixed before anything is chosen; the planner fits all the rest to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_NETWORK, _LOSS = "network", "loss"


@dataclass(frozen=True, slots=True)
class Pins:
    """Fields of the plan by their full name ("sampling.patch") with the values asked for."""

    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, name: str) -> Any:
        """The value of a field, None if it is free."""
        return self.values.get(name)

    def section(self, name: str) -> dict[str, Any]:
        """The fields of a section that are fixed, by their own names."""
        prefix = f"{name}."
        return {k.removeprefix(prefix): v for k, v in self.values.items() if k.startswith(prefix)}

    def only(self, section: str) -> Pins:
        """What is fixed in one section, the rest free."""
        return Pins({k: v for k, v in self.values.items() if k.startswith(f"{section}.")})

    @property
    def network(self) -> str | None:
        """The name of the network, None if the planner may choose it."""
        return self._name(_NETWORK)

    @property
    def network_options(self) -> dict[str, Any]:
        """The options of the network that are fixed."""
        return self._options(_NETWORK)

    @property
    def weights(self) -> str | None:
        """The file of published weights to start from, None for a random start."""
        value = self.get("network.weights")
        return None if value is None else str(value)

    @property
    def loss(self) -> str | None:
        """The name of the loss, None if the planner may choose it."""
        return self._name(_LOSS)

    @property
    def loss_options(self) -> dict[str, Any]:
        """The options of the loss that are fixed."""
        return self._options(_LOSS)

    @property
    def patch(self) -> tuple[int, ...] | None:
        """Edge lengths of a patch, None if free."""
        value = self.get("sampling.patch")
        return None if value is None else tuple(int(edge) for edge in value)

    @property
    def batch(self) -> int | None:
        """Patches per batch, None if free."""
        value = self.get("sampling.batch")
        return None if value is None else int(value)

    def _name(self, part: str) -> str | None:
        value = self.get(f"{part}.name")
        return None if value is None else str(value)

    def _options(self, part: str) -> dict[str, Any]:
        whole = self.get(f"{part}.options")
        options = dict(whole) if isinstance(whole, Mapping) else {}
        prefix = f"{part}.options."
        single = {k.removeprefix(prefix): v for k, v in self.values.items() if k.startswith(prefix)}
        return options | single


FREE = Pins()
"""Nothing is fixed."""
