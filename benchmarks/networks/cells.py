"""Which networks are trained on what: the name and nothing else is given."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.networks.pages import render
from benchmarks.queue.cells import Cell, Table

BUDGET_SECONDS = 300.0

ROWS: Mapping[str, tuple[str, ...]] = {
    "unet": ("network.name=unet",),
    "unet-16": ("network.name=unet", "network.options.width=16"),
    "light": ("network.name=light",),
    "sliding-window": ("network.name=sliding-window",),
    "fcn-32s": ("network.name=fcn-32s",),
    "fcn-16s": ("network.name=fcn-16s",),
    "fcn-8s": ("network.name=fcn-8s",),
    "fcn-8s-at-once": ("network.name=fcn-8s-at-once",),
    "deconvnet": ("network.name=deconvnet",),
    "segnet": ("network.name=segnet",),
    "segnet-basic": ("network.name=segnet-basic",),
    "unet-paper": ("network.name=unet-paper",),
    "unet-released": ("network.name=unet-released",),
    "dilated": ("network.name=dilated",),
    "dilated-context": ("network.name=dilated-context",),
    "nnunet": ("network.name=nnunet",),
    "nnunet-residual": ("network.name=nnunet-residual",),
}
"""Nothing is set but the name (and one width, which the claim on the light network is about)."""

DATA = ("chase-db1", "camvid")

TABLE = Table(
    "networks",
    [
        Cell("networks", row, data, BUDGET_SECONDS, settings)
        for data in DATA
        for row, settings in ROWS.items()
    ],
    render,
)
