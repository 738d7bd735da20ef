"""What many tests share: the tiny built-in data set, and the folder of public data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from pixelwise.data.synthetic_files import write_dataset

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is kept between commands stays within the tests."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images of 64 x 64 with masks and splits (4 train, 1 val, 1 test). Read only."""
    root = tmp_path_factory.mktemp("built-in") / "tiny"
    return write_dataset(root, n_train=4, n_val=1, n_test=1, shape=(64, 64), seed=1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data sets; a test that asks for it is skipped without it."""
    name = os.environ.get("PIXELWISE_DATA", "")
    if not name or not Path(name).is_dir():
        pytest.skip("PIXELWISE_DATA names no folder of public data sets")
    return Path(name).resolve()
