"""What runs a network: normalised tiles in, logits out; PyTorch here, others by the protocol."""

from __future__ import annotations

import copy
import itertools
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pixelwise.core.runtime import MEMORY_FORMATS, lay_out

Tiles = npt.NDArray[np.float32]


class Engine(Protocol):
    """A network that runs: in which arithmetic and by which library is its own affair.

    `logits` maps (n, c, [z,] y, x) float32, C-contiguous, to (n, k, [z,] y, x) float32; any
    strides are allowed in the answer (a channels-last answer need not be copied). Sizes are
    those that the network's field allows and may change from call to call; n may be smaller
    in the last call. The answer is the caller's: an engine does not write to it again.
    Several threads may call at once. Building an engine, not calling it, raises UserError for
    what a user can mend (a package that is missing, a precision that the processor lacks).
    `name` says library and precision: "torch-float32", "openvino-int8".
    """

    @property
    def name(self) -> str: ...

    def logits(self, images: Tiles) -> Tiles: ...


_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class TorchEngine:
    """A copy of a network, in evaluation mode, with its batch norms folded into convolutions.

    precision: "float32" or "bfloat16" (mixed: convolutions in bfloat16, what needs it in
    float32). memory_format: "contiguous" or "channels_last". The given network is not changed.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        precision: str = "float32",
        memory_format: str = "contiguous",
        n_dims: int = 2,
        device: torch.device | None = None,
    ) -> None:
        self._device = device or torch.device("cpu")
        self._layout = MEMORY_FORMATS[memory_format, n_dims]
        self._network = fold_batch_norms(copy.deepcopy(network).eval()).to(self._device)
        self._use_bfloat16 = precision == "bfloat16"
        if self._use_bfloat16:
            store_in_bfloat16(self._network)
        lay_out(self._network, self._layout)
        self._name = f"torch-{precision}"

    @property
    def name(self) -> str:
        """Library and precision."""
        return self._name

    def logits(self, images: Tiles) -> Tiles:
        """(n, c, [z,] y, x) normalised tiles -> (n, k, [z,] y, x) logits."""
        given = torch.from_numpy(images).to(self._device, memory_format=self._layout)
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._use_bfloat16),
        ):
            answer: torch.Tensor = self._network(given)
        found: Tiles = answer.float().cpu().numpy()
        return found


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Put every batch norm that follows a convolution in a Sequential into its weights, in place.

    The network must be in evaluation mode; its answers change by rounding only.
    """
    for part in network.modules():
        if not isinstance(part, nn.Sequential):
            continue
        names = list(part._modules)
        for first, second in itertools.pairwise(names):
            convolution, norm = part._modules[first], part._modules[second]
            if isinstance(convolution, _CONVOLUTIONS) and isinstance(norm, _BATCH_NORMS):
                is_transposed = isinstance(convolution, _TRANSPOSED)
                part._modules[first] = fuse_conv_bn_eval(convolution, norm, is_transposed)
                part._modules[second] = nn.Identity()
    return network


def store_in_bfloat16(network: nn.Module) -> None:
    """Keep the weights of convolutions as mixed precision would cast them at every call, in place.

    Answers under autocast stay the same bit for bit; what autocast leaves in float32 (norms, a
    user's own parameters) does too.
    """
    for part in network.modules():
        if isinstance(part, _CONVOLUTIONS):
            part.to(torch.bfloat16)
