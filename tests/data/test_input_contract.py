"""What a contract says about new images; distances worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelwise.core.image import Header
from pixelwise.core.plan import IntensitySection
from pixelwise.core.records import ImageLook
from pixelwise.data.drift import measure_drift, reference_of
from pixelwise.data.input_contract import ContractCheck, InputContract

PLAIN = IntensitySection(scheme="data set", centre=(0,), scale=(10,), low=(0,), high=(255,))
BY_IMAGE = IntensitySection(scheme="image", centre=(0,), scale=(1,), low=(0,), high=(255,))


def look(level: float, *, step: float = 1.0, colour: float = 0.0, **more: Any) -> ImageLook:
    """An image with its quantiles `level` below to `level` above 100, deviation 10."""
    quantiles = tuple(100 + level * (i - 6) / 6 for i in range(13))
    steps = ((step,) * 5, (step,) * 5)
    given = {"quantiles": (quantiles,), "means": (100.0,), "stds": (10.0,), "steps": (steps,)}
    return ImageLook.model_validate(given | {"colourfulness": colour} | more)


def shifted(by: float) -> ImageLook:
    return look(20, quantiles=(tuple(100 + by + 20 * (i - 6) / 6 for i in range(13)),))


TRAINING = [shifted(by) for by in (0, 5, 10, 15, 20, 25)]
"""Each is 5 / 10 = 0.5 deviations from its neighbours."""


def contract(**changes: Any) -> InputContract:
    given = {
        "n_dims": 2, "n_channels": 1, "intensity": PLAIN, "dtypes": ("uint8",),
        "size_range": ((100, 120), (100, 120)), "value_range": ((0.0, 255.0),),
        "looks": tuple(TRAINING),
    }  # fmt: skip
    return InputContract(**(given | changes))


def header(**changes: Any) -> Header:
    given = {"path": Path("new.png"), "shape": (110, 110), "n_channels": 1,
             "dtype": np.dtype("uint8"), "format_name": "PNG"}  # fmt: skip
    return Header(**(given | changes))


def codes(found: Any) -> list[tuple[str, str]]:
    return [(problem.severity, problem.code) for problem in found]


def test_distance_to_the_nearest_in_units_of_the_training() -> None:
    reference = reference_of(TRAINING, PLAIN)
    assert reference.limits == pytest.approx((0.5, 0.1, 0.2)), "the last two are the least limits"
    assert measure_drift(reference, shifted(12), PLAIN).intensities == pytest.approx(0.2 / 0.5)
    drift = measure_drift(reference, shifted(45), PLAIN)
    assert drift.intensities == pytest.approx(20 / 10 / 0.5)
    assert (drift.texture, drift.colour, drift.score) == (0, 0, pytest.approx(4))


def test_one_odd_training_image_widens_nothing() -> None:
    odd = [*(shifted(5 * i) for i in range(20)), shifted(500)]
    assert reference_of(odd, PLAIN).limits[0] == pytest.approx(0.5)


def test_images_that_are_normalised_by_themselves_may_be_bright_or_dark() -> None:
    """Quantiles are compared after mean and deviation are taken out: the same shape, no drift."""
    training = [look(20) for _ in range(6)]
    brighter = look(
        40, quantiles=(tuple(300 + 40 * (i - 6) / 6 for i in range(13)),), means=(300.0,),
        stds=(20.0,), steps=(((2.0,) * 5, (2.0,) * 5),),
    )  # fmt: skip
    assert measure_drift(reference_of(training, BY_IMAGE), brighter, BY_IMAGE).score == (
        pytest.approx(0, abs=1e-9)
    )
    assert measure_drift(reference_of(training, PLAIN), brighter, PLAIN).intensities > 100


def test_texture_is_compared_by_its_logarithm_and_unknown_steps_left_out() -> None:
    reference = reference_of([look(20) for _ in range(6)], PLAIN)
    rough = measure_drift(reference, look(20, step=np.e), PLAIN)
    assert rough.texture == pytest.approx(1 / 0.1)
    thin = look(20, steps=(((0.0,) * 5, (1.0, 1.0, 0.0, 0.0, 0.0)),))
    assert measure_drift(reference, thin, PLAIN).texture == 0


def test_few_training_images_tell_nothing_about_themselves() -> None:
    assert reference_of(TRAINING[:2], PLAIN).limits == (0.3, 0.3, 0.5)


def test_warned_from_3_and_refused_from_6() -> None:
    check = ContractCheck(contract())
    assert not check.problems(header(), shifted(39)), "14 / 5 = 2.8"
    (warned,) = check.problems(header(), shifted(45))
    assert (warned.severity, warned.code) == ("warning", "drift")
    assert "drift score 4.0 (intensities 4.0, texture 0.0, colour 0.0)" in warned.what
    assert "values 0 to 255" in warned.expected
    (refused,) = check.problems(header(), shifted(56))
    assert (refused.severity, refused.code) == ("error", "drift")
    assert "--ignore-contract" in refused.remedy


def test_spacing_beyond_that_of_the_training() -> None:
    given = contract(spacing_range=((1.0, 2.0), (1.0, 1.0)), unit="mm")
    check = ContractCheck(given)

    def spaced(*steps: float, unit: str = "mm") -> Any:
        return codes(check.problems(header(spacing=steps, unit=unit), shifted(0)))

    assert spaced(1.5, 1.2) == []
    assert spaced(1.5, 1.3) == [("warning", "spacing")]
    assert spaced(8.0, 1.0) == [("error", "spacing")], "4 times 2 mm"
    assert spaced(1500, 1300, unit="µm") == [("warning", "spacing")]
    assert spaced(1500, 1300, unit="px") == []
    resampled = ContractCheck(given.model_copy(update={"resamples": True}))
    found = resampled.problems(header(spacing=(8.0, 1.0), unit="mm"), shifted(0))
    assert codes(found) == [("warning", "spacing")], "it is brought to the run's grid"


def test_colour_for_a_grey_run() -> None:
    check = ContractCheck(contract())
    picture = header(n_channels=3)
    for colour, expected in ((0.01, []), (0.05, ["warning"]), (0.4, ["error"])):
        found = check.problems(picture, shifted(0).model_copy(update={"colourfulness": colour}))
        assert [p.severity for p in found if p.code == "colour"] == expected


def test_constant_small_and_not_finite() -> None:
    check = ContractCheck(contract())
    flat = look(0, stds=(0.0,), steps=(((0.0,) * 5,) * 2,))
    assert codes(check.problems(header(), flat)) == [("warning", "constant")]
    assert codes(check.problems(header(shape=(24, 110)), shifted(0))) == [("warning", "small")]
    some = shifted(0).model_copy(update={"invalid_share": 0.1})
    assert codes(check.problems(header(), some)) == [("warning", "not-finite")]
    most = shifted(0).model_copy(update={"invalid_share": 0.6})
    assert codes(check.problems(header(), most)) == [("error", "not-finite")]


def test_a_volume_without_orientation_beside_oriented_ones() -> None:
    check = ContractCheck(contract(is_oriented=True))
    assert codes(check.problems(header(), shifted(0))) == [("warning", "orientation")]
    assert not check.problems(header(format_name="array"), shifted(0)), "arrays never say"


def test_a_run_that_kept_nothing_has_no_drift_score() -> None:
    check = ContractCheck(contract(looks=()))
    assert check.drift(shifted(1000)) is None
    assert not check.problems(header(), shifted(1000))
