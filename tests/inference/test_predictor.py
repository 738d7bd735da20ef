"""Tiled prediction equals the whole image at once, and labels reach the file as they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pixelwise.core.image import Array, Header, Region, whole_region
from pixelwise.core.plan import InferenceSection
from pixelwise.inference.engines import TorchEngine
from pixelwise.inference.labeller import LabelOutput, label_image
from pixelwise.inference.predictor import Predictor
from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.tasks import build_task

TASK = build_task("semantic", 2, {})


class Held:
    """An image in memory."""

    def __init__(self, values: Array) -> None:
        self.values = values
        self.header = Header(
            Path("held.png"), values.shape[1:], values.shape[0], values.dtype, "PNG"
        )

    def read(self, region: Region | None = None) -> Array:
        return self.values[(slice(None), *(region or whole_region(self.values.shape[1:])))]


class Kept:
    """A sink in memory."""

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self.values = np.full(shape, 99, dtype)

    def write(self, region: Region, values: Array) -> None:
        self.values[(*(slice(None),) * (self.values.ndim - len(region)), *region)] = values


def unchanged(image: Array) -> Array:
    return image


def predict(predictor: Predictor, image: Array) -> tuple[Array, Array]:
    """Labels and probabilities of a whole image."""
    labels = np.full(image.shape[1:], 99, np.uint8)
    probabilities = np.full((2, *image.shape[1:]), np.nan, np.float32)
    for answer in predictor.predict(Held(image), unchanged):  # type: ignore[arg-type]  # enough
        labels[answer.region] = answer.labels
        probabilities[(slice(None), *answer.region)] = answer.probabilities
    return labels, probabilities


def make(name: str, n_dims: int, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return build_network(name, NetworkIO(n_dims, 1, 2), options).eval()


def predictor_of(network: nn.Module, options: InferenceSection, **arithmetic: str) -> Predictor:
    """A network in our own engine."""
    return Predictor(TorchEngine(network, **arithmetic), field_of(network), TASK, options)


def section(tile: int, halo: int, n_dims: int = 2, **options: Any) -> InferenceSection:
    values = {"tile": (tile,) * n_dims, "halo": (halo,) * n_dims, "batch": 3} | options
    return InferenceSection.model_validate(values)


def random_image(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)


@pytest.mark.parametrize("shape", [(61, 90), (33, 7), (1, 1), (1, 40)])
def test_valid_network_by_tiles_and_at_once(shape: tuple[int, int]) -> None:
    """The whole image is mirrored by hand to the next size that the network takes."""
    network = make("unet", 2, width=4, depth=2, padding="valid")
    field = field_of(network)
    image = random_image(shape)
    sizes = [field.valid_size(n + 2 * field.margin) for n in shape]
    widths = [(field.margin, size - n - field.margin) for size, n in zip(sizes, shape, strict=True)]
    padded = np.pad(image, [(0, 0), *widths], mode="reflect")
    with torch.no_grad():
        logits = network(torch.from_numpy(padded)[None])
    whole = torch.softmax(logits, 1)[0][:, : shape[0], : shape[1]].numpy()
    labels, probabilities = predict(predictor_of(network, section(16, 0)), image)
    np.testing.assert_allclose(probabilities, whole, atol=2e-5)
    np.testing.assert_array_equal(labels, probabilities.argmax(0))


def test_the_paper_network_by_tiles_and_at_once() -> None:
    network = make("unet-paper", 2, width=2)
    image = random_image((50, 40))
    sizes = [n + (188 % 16 - n) % 16 for n in (234, 224)]
    padded = np.pad(image, [(0, 0), (92, sizes[0] - 142), (92, sizes[1] - 132)], mode="reflect")
    with torch.no_grad():
        whole = torch.softmax(network(torch.from_numpy(padded)[None]), 1)[0][:, :50, :40].numpy()
    _, probabilities = predict(predictor_of(network, section(32, 0)), image)
    np.testing.assert_allclose(probabilities, whole, atol=2e-5)


@pytest.mark.parametrize(("n_dims", "shape"), [(2, (48, 40)), (3, (22, 24, 24))])
def test_padded_network_with_enough_context(n_dims: int, shape: tuple[int, ...]) -> None:
    """Where the whole image's own zero padding does not reach, tiles give the same answer."""
    network = make("unet", n_dims, width=2, depth=1)
    field = field_of(network)
    assert field.reach == 9, "two convolutions up, two down at half resolution, one up-convolution"
    reach, halo = 9, 10  # tiles start on the pooling grid of the whole image
    assert halo % field.alignment == 0
    image = random_image(shape)
    with torch.no_grad():
        whole = torch.softmax(network(torch.from_numpy(image)[None]), 1)[0].numpy()
    _, probabilities = predict(predictor_of(network, section(8, halo, n_dims)), image)
    inner = (slice(None), *(slice(reach, n - reach) for n in shape))
    assert whole[inner].size > 0
    np.testing.assert_allclose(probabilities[inner], whole[inner], atol=2e-5)
    assert np.isfinite(probabilities).all()


class Brightness(nn.Module):
    """Logits (0, value): without any context."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        values = images[:, :1] * self.weight
        return torch.cat([torch.zeros_like(values), values], 1)


class Leftmost(Brightness):
    """Sees the first column only: the mean with its mirror image tells whether both were made."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images[..., :1].expand_as(images))


def test_mirrored_views_are_averaged() -> None:
    """Sigmoid(0) = 1/2 from the left edge and sigmoid(ln 3) = 3/4 from the right: 5/8."""
    image = np.zeros((1, 4, 4), np.float32)
    image[..., -1] = np.log(3)
    options = section(4, 0, mirror_axes=(1,))
    predictor = predictor_of(Leftmost(), options)
    found = predictor.scores(image[None])[0, 1]
    np.testing.assert_allclose(found, np.full((4, 4), 0.625), atol=1e-6)


def test_labels_counts_and_confidence() -> None:
    """Five pixels at sigmoid(ln 3) = 3/4 for class 1, the other 30 at 3/4 for class 0."""
    image = np.full((1, 5, 7), -np.log(3), np.float32)
    image[0, 2, 2:7] = np.log(3)
    labels, probabilities = Kept((5, 7), "uint8"), Kept((2, 5, 7), "float32")
    found = label_image(
        predictor_of(Brightness(), section(4, 1)),
        Held(image),  # type: ignore[arg-type]  # reading is enough
        unchanged,
        LabelOutput(labels, probabilities, (10, 200)),  # type: ignore[arg-type]  # writing too
        n_classes=2,
    )
    assert found.class_pixels == (30, 5)
    assert found.confidence == pytest.approx(0.75)
    np.testing.assert_array_equal(labels.values, np.where(image[0] > 0, 200, 10))
    np.testing.assert_allclose(probabilities.values.max(0), 0.75, atol=1e-6)


def test_the_network_is_put_into_evaluation() -> None:
    network = make("unet", 2, width=2, depth=1, dropout=0.5).train()
    predictor = predictor_of(network, section(16, 2))
    image = random_image((16, 16))
    first, second = predict(predictor, image), predict(predictor, image)
    assert network.training, "the given network is left as it is"
    np.testing.assert_array_equal(first[1], second[1])


def test_bfloat16_gives_nearly_the_same() -> None:
    network = make("unet", 2, width=4, depth=2)
    image = random_image((48, 48))
    _, exact = predict(predictor_of(network, section(48, 8)), image)
    fast = predictor_of(
        network, section(48, 8), precision="bfloat16", memory_format="channels_last"
    )
    labels, rough = predict(fast, image)
    assert rough.dtype == np.float32
    assert np.abs(rough - exact).max() < 0.1
    np.testing.assert_array_equal(labels, rough.argmax(0))
