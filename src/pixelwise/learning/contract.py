"""The contract that every network and loss keeps; a user's own part is put to it before use."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan, Problem, UserError
from pixelwise.core.plan import PartSection
from pixelwise.losses import LOSSES, LossFunction
from pixelwise.networks import NetworkIO, build_network, field_of


def check_parts(network: PartSection, loss: PartSection, io: NetworkIO) -> None:
    """Put a network and a loss to the contract. Raises BadPlan with everything that fails."""
    problems = check_network(network.name, io, network.options)
    problems += check_loss(loss.name, io, loss.options)
    if problems:
        raise BadPlan(problems)


def check_network(name: str, io: NetworkIO, options: Mapping[str, object]) -> list[Problem]:
    """What a network fails in: output grid, odd sizes, batch of 1, gradients, state round trip."""
    torch.manual_seed(0)
    try:
        network = build_network(name, io, dict(options))
    except UserError:
        raise
    except Exception as error:
        return [_broken(name, "cannot be built", error)]
    field = field_of(network)
    problems = []
    for wanted, n_images in ((64, 2), (61, 1)):
        size = field.valid_size(wanted)
        images = torch.randn((n_images, io.in_channels) + (size,) * io.n_dims)
        shape = (n_images, io.out_channels) + (field.output_size(size),) * io.n_dims
        problems += _check_forward(network, name, images, shape)
    if not problems:
        problems += _check_gradients(network, name, io)
        problems += _check_state(network, name, io, options)
    return problems


def check_loss(name: str, io: NetworkIO, options: Mapping[str, object]) -> list[Problem]:
    """What a loss fails in: finite at extremes, blind to invalid pixels, lower is better."""
    try:
        loss: LossFunction = LOSSES.build(name, options=dict(options))
    except UserError:
        raise
    except Exception as error:
        return [_broken(name, "cannot be built", error)]
    n_classes = io.out_channels
    target = torch.randint(0, n_classes, (2,) + (8,) * io.n_dims)
    valid = torch.ones_like(target, dtype=torch.bool)
    valid[:, :2] = False
    planes = torch.nn.functional.one_hot(target, n_classes).movedim(-1, 1)
    right = planes.float()
    takes_regions = LOSSES.find(name).facts.get("targets") == "regions"
    compared = planes if takes_regions else target
    problems = []
    try:
        values = {}
        for scale in (1.0, 10.0, 1000.0, -1000.0):
            logits = (right * scale).requires_grad_()
            value = loss(logits, compared, valid)
            torch.autograd.backward(value)
            values[scale] = float(value.detach())
            problems += _check_loss_value(name, scale, value, logits, valid)
        if not values[10.0] < values[-1000.0]:
            problems.append(
                Problem(
                    f"loss {name} is {values[10.0]:g} for a right and {values[-1000.0]:g} for a "
                    "wrong answer",
                    "a lower value for the right one",
                    "Turn its sign.",
                    code="contract",
                )
            )
    except Exception as error:
        problems.append(_broken(name, "fails on (logits, target, valid)", error))
    return problems


def _check_loss_value(
    name: str, scale: float, value: Tensor, logits: Tensor, valid: Tensor
) -> list[Problem]:
    gradient = logits.grad if logits.grad is not None else torch.zeros_like(logits)
    problems = []
    if value.ndim or not torch.isfinite(value) or not torch.isfinite(gradient).all():
        problems.append(
            Problem(
                f"loss {name} gives {value.detach().tolist()} for logits of size {scale:g}",
                "one finite number with finite gradients",
                "Work on logits with log_softmax, not on log(softmax).",
                code="contract",
            )
        )
    if gradient.movedim(1, -1)[~valid].abs().sum() > 0:
        problems.append(
            Problem(
                f"loss {name} has a gradient at pixels that are not valid",
                "no influence of pixels where valid is False",
                "Multiply by valid, or select by it, before summing.",
                code="contract",
            )
        )
    return problems


def _check_forward(
    network: nn.Module, name: str, images: Tensor, shape: tuple[int, ...]
) -> list[Problem]:
    network.eval()
    try:
        with torch.no_grad():
            logits = network(images)
    except Exception as error:
        return [_broken(name, f"fails on an input of {tuple(images.shape)}", error)]
    if isinstance(logits, Tensor) and tuple(logits.shape) == shape:
        return []
    found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    return [
        Problem(
            f"network {name} answers {found} to an input of {tuple(images.shape)}",
            f"logits of {shape}: (images, classes, then the input's grid)",
            "Pad inside the network and crop back, or tell its margin in a `field`.",
            code="contract",
        )
    ]


def _check_gradients(network: nn.Module, name: str, io: NetworkIO) -> list[Problem]:
    network.train()
    size = field_of(network).valid_size(64)
    answer = network(torch.randn((2, io.in_channels) + (size,) * io.n_dims))
    outputs = (answer,) if isinstance(answer, Tensor) else tuple(answer)
    torch.autograd.backward([output.float().pow(2).mean() for output in outputs])
    without = [key for key, p in network.named_parameters() if p.requires_grad and p.grad is None]
    if not without:
        return []
    shown = ", ".join(without[:4])
    return [
        Problem(
            f"{len(without)} weights of network {name} get no gradient: {shown}",
            "a gradient for every weight",
            "Use them in forward, or set requires_grad=False.",
            code="contract",
        )
    ]


def _check_state(
    network: nn.Module, name: str, io: NetworkIO, options: Mapping[str, object]
) -> list[Problem]:
    other = build_network(name, io, dict(options))
    other.load_state_dict(network.state_dict())
    size = field_of(network).valid_size(32)
    images = torch.randn((1, io.in_channels) + (size,) * io.n_dims)
    network.eval()
    other.eval()
    with torch.no_grad():
        if torch.equal(network(images), other(images)):
            return []
    return [
        Problem(
            f"network {name} answers differently after saving and loading its state",
            "the same answer: every tensor that matters is a parameter or a buffer",
            "Register such tensors with register_buffer.",
            code="contract",
        )
    ]


def _broken(name: str, what: str, error: Exception) -> Problem:
    return Problem(
        f"{name} {what}: {type(error).__name__}: {error}",
        "a part that keeps the contract",
        "Correct it; docs on own parts show a complete example.",
        code="contract",
    )
