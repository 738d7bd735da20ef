"""Starting from another network's weights: what fits by name and shape is taken."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from pixelwise.core.errors import BadRun


def load_matching(network: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """Copy every tensor whose name and shape fit, in place; says in words what was taken.

    Raises BadRun if nothing fits.
    """
    own = network.state_dict()
    taken = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if not taken:
        raise BadRun(
            f"none of its {len(weights)} tensors fits the {len(own)} of the planned network",
            "weights of the same kind of network",
            "Train with the network of that run (leave network settings out).",
            code="foreign-weights",
        )
    network.load_state_dict(taken, strict=False)
    left = sorted(set(own) - set(taken))
    if not left:
        return f"All {len(taken)} tensors were taken from the given run"
    shown = ", ".join(left[:4]) + (" …" if len(left) > 4 else "")
    return f"{len(taken)} of {len(own)} tensors were taken from the given run; new: {shown}"
