"""Published VGG16 weights, proved on a made-up state dict with the public names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pixelwise.core.errors import BadPlan, UnreadableFile
from pixelwise.networks import NetworkIO, build_network
from pixelwise.networks.published import take_published_weights
from pixelwise.runs.published_weights import read_published_weights

WIDTH = 2
INDICES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """VGG16 at a thirty-second of its width, under torchvision's names."""
    torch.manual_seed(0)
    widths = [WIDTH * f for f in (1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8)]
    state, inputs = {}, 3
    for index, width in zip(INDICES, widths, strict=True):
        state[f"features.{index}.weight"] = torch.randn(width, inputs, 3, 3)
        state[f"features.{index}.bias"] = torch.randn(width)
        inputs = width
    hidden = 64 * WIDTH
    state["classifier.0.weight"] = torch.randn(hidden, inputs * 49)
    state["classifier.0.bias"] = torch.randn(hidden)
    state["classifier.3.weight"] = torch.randn(hidden, hidden)
    state["classifier.3.bias"] = torch.randn(hidden)
    state["classifier.6.weight"] = torch.randn(1000, hidden)
    state["classifier.6.bias"] = torch.randn(1000)
    return state


@pytest.mark.parametrize(
    ("name", "n_matched"), [("fcn-8s", 30), ("deconvnet", 30), ("dilated", 30), ("segnet", 26)]
)
def test_every_vgg_network_takes_them(
    name: str, n_matched: int, published: dict[str, Tensor]
) -> None:
    network = build_network(name, NetworkIO(2, 3, 4), {"width": WIDTH})
    match = take_published_weights(network, published)
    assert len(match.matched) == n_matched
    assert match.left == ()
    assert "classifier.6.weight" in match.unused
    state = network.state_dict()
    for source, target, _ in match.matched:
        assert torch.equal(state[target].flatten(), published[source].flatten())
    assert f"{n_matched} tensors taken over" in match.text()


def test_first_layer_adapts_to_grey_and_to_many_channels(published: dict[str, Tensor]) -> None:
    grey = build_network("fcn-32s", NetworkIO(2, 1, 2), {"width": WIDTH})
    five = build_network("fcn-32s", NetworkIO(2, 5, 2), {"width": WIDTH})
    notes = [take_published_weights(n, published).matched[0][2] for n in (grey, five)]
    assert notes == ["3 channels summed to 1", "3 channels spread over 5"]
    colour = build_network("fcn-32s", NetworkIO(2, 3, 2), {"width": WIDTH})
    take_published_weights(colour, published)
    image = torch.randn(1, 1, 8, 8)
    first, wanted = grey.blocks[0][0](image), colour.blocks[0][0](image.expand(1, 3, 8, 8))
    torch.testing.assert_close(first, wanted)


def test_misfits_are_said(published: dict[str, Tensor]) -> None:
    wrong = {**published, "features.28.bias": torch.zeros(7)}
    network = build_network("fcn-32s", NetworkIO(2, 3, 2), {"width": WIDTH})
    match = take_published_weights(network, wrong)
    assert [name for name, _, _ in match.left] == ["blocks.4.4.bias"]
    with pytest.raises(BadPlan, match="none of the"):
        take_published_weights(
            build_network("fcn-32s", NetworkIO(2, 3, 2), {"width": 3}), published
        )
    with pytest.raises(BadPlan, match="no VGG16 encoder"):
        take_published_weights(build_network("unet", NetworkIO(2, 3, 2), {"width": 2}), published)


def test_both_file_formats(tmp_path: Path, published: dict[str, Tensor]) -> None:
    save_file(published, tmp_path / "vgg16.safetensors")
    torch.save({"state_dict": {f"module.{k}": v for k, v in published.items()}}, tmp_path / "a.pth")
    for name in ("vgg16.safetensors", "a.pth"):
        assert read_published_weights(tmp_path / name).keys() == published.keys()


def test_foreign_files_are_refused_and_never_run(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(b"not weights")
    (tmp_path / "x.safetensors").write_bytes(b"not weights")
    torch.save(Path("a"), tmp_path / "object.pth")
    for name in ("x.pth", "x.safetensors", "object.pth", "missing.pth"):
        with pytest.raises(UnreadableFile, match="weights"):
            read_published_weights(tmp_path / name)


def test_the_form_with_batch_norm_fills_the_norms_too() -> None:
    """Thirteen convolutions with weight and bias, thirteen norms with four tensors each."""
    state: dict[str, Tensor] = {}
    widths = [WIDTH * f for f in (1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8)]
    inputs = 3
    for index, width in zip((0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40), widths, strict=True):
        state[f"features.{index}.weight"] = torch.randn(width, inputs, 3, 3)
        state[f"features.{index}.bias"] = torch.randn(width)
        for name in ("weight", "bias", "running_mean", "running_var"):
            state[f"features.{index + 1}.{name}"] = torch.rand(width)
        state[f"features.{index + 1}.num_batches_tracked"] = torch.tensor(7)
        inputs = width
    network = build_network("segnet", NetworkIO(2, 3, 2), {"width": WIDTH})
    match = take_published_weights(network, state)
    assert len(match.matched) == 13 * 2 + 13 * 4
    assert match.left == ()
    second = network.encoder[0][4]
    assert torch.equal(second.running_mean, state["features.4.running_mean"])
    plain = build_network("fcn-32s", NetworkIO(2, 3, 2), {"width": WIDTH})
    without = take_published_weights(plain, state)
    assert [name for name, _, _ in without.left] == [
        "fc6.0.weight", "fc6.0.bias", "fc7.0.weight", "fc7.0.bias",
    ]  # fmt: skip


def test_caffe_sees_blue_first_and_bytes() -> None:
    """What (b, g, r) in 0 to 255 gave, (r, g, b) in standard deviations of 57.63 gives."""
    weight = torch.randn(WIDTH, 3, 3, 3)
    network = build_network("segnet", NetworkIO(2, 3, 2), {"width": WIDTH, "norm": "none"})
    match = take_published_weights(network, {"conv1_1.weight": weight})
    assert len(match.matched) == 1
    image = torch.randn(1, 3, 6, 6)
    own = torch.nn.functional.conv2d(image, network.encoder[0][0].weight)
    theirs = torch.nn.functional.conv2d(image.flip(1) * 57.63, weight)
    torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-3)
