"""Typed access to the folder that a run leaves behind.

run.json              what this folder is, its state, and the hash of its weights
plan.json             the whole plan with the reason for each choice
facts.json            what was known about the data
data.json             where each case lies and in which split it is
environment.json      versions and machine
history.json          one record per stretch of training
state.safetensors     everything needed to go on with the training
network.safetensors   the weights that are used and scored
scores-SPLIT.json     scores of a split
predictions/SPLIT/    the labels that were scored
report.html           the page for people
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError
from safetensors import safe_open
from torch import Tensor, nn

from pixelwise.core.case import Case, DataSet
from pixelwise.core.errors import BadOutput, BadRun
from pixelwise.core.files import hash_file, read_json, unwritable, write_json
from pixelwise.core.plan import Plan
from pixelwise.core.records import Facts, IntervalRecord, Summary
from pixelwise.runs.tensor_files import damaged, load_tensors, save_tensors

RUN_FORMAT = 1
RunState = Literal["started", "stopped", "finished"]

Kind = TypeVar("Kind", Plan, Facts, Summary)

_HISTORY = TypeAdapter(tuple[IntervalRecord, ...])


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run on disk. Reading raises BadRun naming the file if anything is missing or damaged."""

    path: Path

    @property
    def report(self) -> Path:
        """Where the report lies."""
        return self.path / "report.html"

    def predictions(self, split: str) -> Path:
        """Where the labels of a split lie."""
        return self.path / "predictions" / split

    def save_plan(self, plan: Plan) -> None:
        """Write the plan."""
        write_json(self.path / "plan.json", plan.model_dump(mode="json"))

    def read_plan(self) -> Plan:
        """Read the plan."""
        return _parse(self.path / "plan.json", Plan)

    def save_facts(self, facts: Facts) -> None:
        """Write the facts."""
        write_json(self.path / "facts.json", facts.model_dump(mode="json"))

    def read_facts(self) -> Facts:
        """Read the facts."""
        return _parse(self.path / "facts.json", Facts)

    def save_data(self, dataset: DataSet) -> None:
        """Write where each case lies."""
        cases = [{k: _plain(v) for k, v in asdict(case).items()} for case in dataset.cases]
        content = {"root": str(dataset.root), "name": dataset.name, "cases": cases}
        write_json(self.path / "data.json", content)

    def read_cases(self) -> tuple[Case, ...]:
        """Where each case lay when the run was made."""
        content = _load_object(self.path / "data.json")
        try:
            return tuple(_read_case(entry) for entry in content["cases"])
        except (KeyError, TypeError) as error:
            raise damaged(self.path / "data.json", f"it lacks {error}") from error

    def data_name(self) -> str:
        """The name of the data set that the run was trained on."""
        return str(_load_object(self.path / "data.json").get("name", ""))

    def save_environment(self, environment: Mapping[str, str]) -> None:
        """Write versions and machine facts."""
        write_json(self.path / "environment.json", dict(environment))

    def read_environment(self) -> dict[str, str]:
        """Read versions and machine facts."""
        return _load_object(self.path / "environment.json")

    def save_history(self, history: Sequence[IntervalRecord]) -> None:
        """Write the records of the training so far."""
        write_json(self.path / "history.json", [r.model_dump(mode="json") for r in history])

    def read_history(self) -> tuple[IntervalRecord, ...]:
        """Read the records of the training."""
        path = self.path / "history.json"
        if not path.exists():
            return ()
        try:
            return _HISTORY.validate_python(_load(path))
        except ValidationError as error:
            raise damaged(path, _first_error(error)) from error

    def save_scores(self, split: str, summary: Summary) -> None:
        """Write the scores of a split."""
        write_json(self.path / f"scores-{split}.json", summary.model_dump(mode="json"))

    def read_scores(self) -> dict[str, Summary]:
        """Every split that was scored."""
        found = sorted(self.path.glob("scores-*.json"))
        return {path.stem.removeprefix("scores-"): _parse(path, Summary) for path in found}

    def save_training(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Write everything needed to go on, in one file, whole or not at all."""
        save_tensors(self.path / "state.safetensors", tensors, {"numbers": json.dumps(numbers)})

    def has_training(self) -> bool:
        """Whether a training state was saved."""
        return (self.path / "state.safetensors").exists()

    def read_training(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Read a training state."""
        path = self.path / "state.safetensors"
        tensors = load_tensors(path)
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
        try:
            return tensors, json.loads(metadata["numbers"])
        except (KeyError, ValueError) as error:
            raise damaged(path, "it holds no training state") from error

    def save_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Write the weights that are used and scored."""
        save_tensors(self.path / "network.safetensors", tensors, {})

    def read_weights(self) -> dict[str, Tensor]:
        """Read the weights, after comparing their hash with the one in run.json."""
        path = self.path / "network.safetensors"
        wanted = self.read_status().get("weights_sha256")
        tensors = load_tensors(path)
        if wanted and hash_file(path) != wanted:
            raise BadRun(
                "its content is not what the run wrote (the hash differs)",
                f"a file with SHA-256 {wanted[:12]}…",
                "Restore it from a backup, or train again.",
                path=path,
                code="tampered-weights",
            )
        return tensors

    def load_weights_into(self, network: nn.Module) -> None:
        """Put the run's weights into a freshly built network. Raises BadRun if they don't fit."""
        try:
            network.load_state_dict(self.read_weights())
        except RuntimeError as error:
            raise BadRun(
                f"its weights do not fit the planned network: {error}",
                "the weights that were trained with plan.json",
                "Restore plan.json and network.safetensors of one and the same run.",
                path=self.path,
                code="foreign-weights",
            ) from error

    def save_status(self, state: RunState, **entries: Any) -> None:
        """Write what this folder is and how far it came; other entries are kept."""
        known = read_json(self.path / "run.json") if (self.path / "run.json").exists() else {}
        weights = self.path / "network.safetensors"
        known |= {"kind": "pixelwise run", "format_version": RUN_FORMAT, "state": state, **entries}
        known["weights_sha256"] = hash_file(weights) if weights.exists() else None
        write_json(self.path / "run.json", known)

    def read_status(self) -> dict[str, Any]:
        """What run.json says."""
        return _load_object(self.path / "run.json")


def require_free(path: Path, *, overwrite: bool) -> None:
    """Raise BadOutput if a run cannot be made at a path: one is there, or something else is."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        is_run = (path / "run.json").exists()
        if not is_run:
            raise BadOutput(
                "it exists and is not a run folder",
                "a new or empty folder",
                "Choose another place for --run.",
                path=path,
                code="output-exists",
            )
        if not overwrite:
            raise BadOutput(
                "there is a run already",
                "a new or empty folder",
                "Go on with it with --resume, replace it with --overwrite, or choose another "
                "--run.",
                path=path,
                code="output-exists",
            )


def create_run(path: Path, *, overwrite: bool) -> RunFolder:
    """Make a run folder. An existing one is replaced only with `overwrite`.

    Raises BadOutput if something is there already, is no run, or cannot be written.
    """
    require_free(path, overwrite=overwrite)
    if path.exists():
        shutil.rmtree(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    run = RunFolder(path)
    run.save_status("started")
    return run


def open_run(path: Path) -> RunFolder:
    """Open a run folder. Raises BadRun if it is none, damaged, or made by a newer version."""
    if not (path / "run.json").is_file():
        what = "there is no such folder" if not path.exists() else "it is not a run folder"
        raise BadRun(
            what,
            "a folder that `pixelwise train` wrote (with a run.json in it)",
            "Check the path.",
            path=path,
            code="no-run",
        )
    status = RunFolder(path).read_status()
    version = status.get("format_version")
    if status.get("kind") != "pixelwise run" or not isinstance(version, int):
        raise damaged(path / "run.json", "it does not describe a run")
    if version > RUN_FORMAT:
        raise BadRun(
            f"its format is {version}",
            f"format {RUN_FORMAT} or older",
            "It was made by a newer version: update pixelwise.",
            path=path,
            code="newer-run",
        )
    return RunFolder(path)


def _load(path: Path) -> Any:
    try:
        return read_json(path)
    except Exception as error:
        raise damaged(path, str(error).removeprefix(f"{path}: ")) from error


def _load_object(path: Path) -> dict[str, Any]:
    content = _load(path)
    if not isinstance(content, dict):
        raise damaged(path, f"it holds a {type(content).__name__} instead of fields")
    return content


def _parse(path: Path, kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate(_load(path))
    except ValidationError as error:
        raise damaged(path, _first_error(error)) from error


def _first_error(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _read_case(entry: Mapping[str, Any]) -> Case:
    def as_path(name: str) -> Path | None:
        return Path(entry[name]) if entry.get(name) else None

    return Case(
        id=entry["id"],
        image=Path(entry["image"]),
        label=as_path("label"),
        fov=as_path("fov"),
        group=entry.get("group", ""),
        split=entry.get("split"),
        channels=tuple(Path(path) for path in entry.get("channels", ())),
        objects=as_path("objects"),
        annotated=tuple(entry.get("annotated", ())),
    )
