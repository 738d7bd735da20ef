"""What a prediction leaves besides labels: tables, and the record that lets it go on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelwise.commands.measure_output import as_csv
from pixelwise.commands.region_output import described_classes
from pixelwise.core.errors import BadOutput
from pixelwise.core.files import read_json, unwritable, write_json, write_text
from pixelwise.core.plan import Plan

RECORD_FORMAT = 1
RECORD_NAME = "prediction.json"

_GAP_SECONDS = 5.0
_TIME_SHARE = 0.02
"""Writing the record may take this share of the time."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One labelled image: where it came from, where its labels lie, how sure the network is."""

    image: Path
    labels: Path
    confidence: float
    class_pixels: tuple[int, ...]
    n_pixels: int


class PredictionRecord:
    """The file out/prediction.json: the settings, and every image that is done.

    It is written anew from time to time, whole or not at all; images that were labelled after
    the last time are labelled again by a resumed prediction.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any]) -> None:
        self._path = out / RECORD_NAME
        self._out = out
        self._settings = json.loads(json.dumps(dict(settings)))
        self._due = 0.0

    def read_done(self) -> list[Prediction]:
        """The images that an earlier prediction with the same settings finished.

        Left out are images whose labels have gone or that changed since.
        Raises BadOutput if the settings were others.
        """
        if not self._path.exists():
            return []
        try:
            content = read_json(self._path)
            earlier, entries = content["settings"], content["images"]
            found = [self._read(entry) for entry in entries]
        except Exception as error:
            raise self._refuse(f"its record cannot be read ({error})") from error
        names = sorted({*earlier, *self._settings})
        other = [
            f"{name} was {earlier.get(name)}, now {self._settings.get(name)}"
            for name in names
            if earlier.get(name) != self._settings.get(name)
        ]
        if other:
            raise self._refuse("it was made otherwise: " + "; ".join(other))
        return [prediction for prediction in found if _is_current(prediction)]

    def write_if_due(self, done: Sequence[Prediction]) -> None:
        """Write the record unless that was done a moment ago."""
        if time.monotonic() >= self._due:
            self.write(done)

    def write(self, done: Sequence[Prediction]) -> None:
        """Write the record."""
        started = time.monotonic()
        images = [
            {
                "image": str(p.image),
                "labels": p.labels.relative_to(self._out).as_posix(),
                "confidence": p.confidence,
                "class_pixels": list(p.class_pixels),
                "n_pixels": p.n_pixels,
            }
            for p in done
        ]
        head = {"kind": "pixelwise prediction", "format_version": RECORD_FORMAT}
        write_json(self._path, head | {"settings": self._settings, "images": images})
        now = time.monotonic()
        self._due = now + max(_GAP_SECONDS, (now - started) / _TIME_SHARE)

    def _read(self, entry: Mapping[str, Any]) -> Prediction:
        return Prediction(
            Path(entry["image"]),
            self._out / entry["labels"],
            float(entry["confidence"]),
            tuple(int(n) for n in entry["class_pixels"]),
            int(entry["n_pixels"]),
        )

    def _refuse(self, what: str) -> BadOutput:
        return BadOutput(
            what,
            "a prediction with the same run and options that was stopped",
            "Give the same options again, choose another --out, or start anew with --overwrite.",
            path=self._path,
            code="other-settings",
        )


def earlier_tile(out: Path) -> str | None:
    """The tile that an earlier prediction into a folder was made with, as `--tile` takes it."""
    try:
        return "x".join(str(int(edge)) for edge in read_json(out / RECORD_NAME)["settings"]["tile"])
    except Exception:  # going on tells what is wrong with the record
        return None


def require_output(out: Path, *, overwrite: bool, resume: bool) -> None:
    """Raise BadOutput if a place for labels holds files that nobody gave up."""
    if out.exists() and not out.is_dir():
        raise BadOutput(
            "it is a file", "a folder", "Choose another --out.", path=out, code="output-exists"
        )
    may_go_on = resume and (out / RECORD_NAME).exists()
    if out.is_dir() and any(out.iterdir()) and not overwrite and not may_go_on:
        raise BadOutput(
            "it holds files already",
            "a new or empty folder",
            "Choose another --out, replace labels of the same name with --overwrite, or go on "
            "with a stopped prediction with --resume.",
            path=out,
            code="output-exists",
        )


def prepare_output(out: Path, *, overwrite: bool, resume: bool) -> Path:
    """Make the folder for labels. Raises BadOutput if it holds files that nobody gave up."""
    require_output(out, overwrite=overwrite, resume=resume)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    return out


def write_tables(plan: Plan, done: Sequence[Prediction], out: Path) -> None:
    """classes.json and predictions.csv: what the values mean, and how sure the network is."""
    write_json(out / "classes.json", described_classes(plan))
    names = [f"share of {c.name}" for c in plan.data.classes]
    rows = [
        (
            str(p.image),
            p.labels.relative_to(out).as_posix(),
            f"{p.confidence:.4f}",
            *(f"{n / max(p.n_pixels, 1):.6f}" for n in p.class_pixels),
        )
        for p in done
    ]
    write_text(out / "predictions.csv", as_csv(("image", "labels", "confidence", *names), rows))


def _is_current(prediction: Prediction) -> bool:
    try:
        return prediction.labels.stat().st_mtime >= prediction.image.stat().st_mtime
    except OSError:
        return False
