"""A bundle: one folder or zip with a network, its contract, a runner and a hash of each file."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from pixelwise.core.errors import BadBundle, BadOutput, Problem, raise_errors
from pixelwise.core.files import replacing, unwritable
from pixelwise.core.plan import Plan
from pixelwise.core.quantities import format_bytes
from pixelwise.core.records import Record
from pixelwise.core.runtime import available_bytes
from pixelwise.data.input_contract import InputContract
from pixelwise.networks import Field
from pixelwise.runs.bundle_files import BundleFiles, open_files, refuse_pickle
from pixelwise.runs.onnx_references import external_files

BUNDLE_FORMAT = 1
KIND = "pixelwise bundle"
MANIFEST = "bundle.json"
CONTRACT = "contract.json"

Kind = TypeVar("Kind", Plan, InputContract)

_MANIFEST_BYTES = 4 << 20


class NetworkEntry(Record):
    """The network in a bundle: its file (and OpenVINO's weights), sizes that it takes, memory.

    field, fixed: as of `OnnxNetwork`. needs_bytes: memory to load it and label one tile.
    """

    file: str
    weights: str | None = None
    precision: str = "float32"
    n_outputs: int
    field: Mapping[str, int | None]
    fixed: tuple[int, ...] | None = None
    needs_bytes: int


class FileEntry(Record):
    """A file of a bundle, as it was written."""

    sha256: str
    n_bytes: int


class Manifest(Record):
    """What bundle.json says."""

    kind: str
    format_version: int
    form: str
    made_with: Mapping[str, str]
    weights_sha256: str
    network: NetworkEntry
    test: Mapping[str, str]
    files: Mapping[str, FileEntry]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle: every byte of it was compared with its hash.

    contract: what the training images were like; bundles of the first versions have none.
    """

    path: Path
    manifest: Manifest
    plan: Plan
    model: bytes
    weights: bytes | None
    contract: InputContract | None = None

    @property
    def field(self) -> Field:
        """The sizes that its network takes."""
        return Field(**self.manifest.network.field)  # type: ignore[arg-type]  # numbers by name


def is_bundle(path: Path) -> bool:
    """Whether a path looks like a bundle: a zip, or a folder with a bundle.json."""
    if path.is_dir():
        return (path / MANIFEST).is_file()
    return path.is_file() and zipfile.is_zipfile(path)


def open_bundle(path: Path) -> Bundle:
    """Read a bundle. Nothing is unpacked to disk, unpickled or run.

    Raises BadBundle if it is damaged, unsafe, tampered with, made by a newer version, or
    needs more memory than there is.
    """
    if not path.exists():
        raise BadBundle("there is no such file or folder", "a bundle", "Check the path.",
                        path=path, code="no-bundle")  # fmt: skip
    files = open_files(path)
    try:
        return _read(path, files)
    except OSError as error:
        raise _broken(path, f"it cannot be read: {error.strerror or error}") from error
    finally:
        files.close()


def _read(path: Path, files: BundleFiles) -> Bundle:
    manifest = _read_manifest(path, files)
    network = manifest.network
    _require_memory(path, manifest, files)
    contents = {}
    problems = []
    for name, entry in manifest.files.items():
        content = files.read(name) if name in files.sizes() else b""
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            what = "is missing" if name not in files.sizes() else "was changed: its hash differs"
            problems.append(_problem(path, f"{name} in it {what}", "tampered-bundle"))
        refuse_pickle(path, name, content)
        contents[name] = content
    strangers = set(files.sizes()) - set(manifest.files) - {MANIFEST}
    problems += [
        _problem(path, f"{name} in it is not in its list of files", "tampered-bundle")
        for name in sorted(strangers)
    ]
    raise_errors(problems, BadBundle)
    missing = {"plan.json", network.file, network.weights or network.file} - set(contents)
    if missing:
        raise _broken(path, f"it lacks {', '.join(sorted(missing))}")
    model = contents[network.file]
    try:
        outside = external_files(model) if network.file.endswith(".onnx") else []
    except RecursionError as error:
        raise _broken(path, "its network is nested too deeply") from error
    if outside:
        raise _broken(path, f"its network refers to other files: {', '.join(outside[:3])}")
    plan = _parse(path, "plan.json", contents, Plan)
    contract = _parse(path, CONTRACT, contents, InputContract) if CONTRACT in contents else None
    return Bundle(path, manifest, plan, model, contents.get(network.weights or ""), contract)


def _parse(path: Path, name: str, contents: Mapping[str, bytes], kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate_json(contents[name])
    except ValidationError as error:
        raise _broken(path, f"its {name} is wrong: {error.errors()[0]['msg']}") from error


def _read_manifest(path: Path, files: BundleFiles) -> Manifest:
    size = files.sizes().get(MANIFEST)
    if size is None or size > _MANIFEST_BYTES:
        raise _broken(path, f"it has no {MANIFEST} of a reasonable size")
    try:
        content: Any = json.loads(files.read(MANIFEST))
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"its {MANIFEST} is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise _broken(path, f"its {MANIFEST} does not describe a bundle")
    version = content.get("format_version")
    if not isinstance(version, int) or version > BUNDLE_FORMAT:
        raise BadBundle(
            f"its format is {version}",
            f"format {BUNDLE_FORMAT} or older",
            "It was made by a newer version: update pixelwise, or use the runner inside it.",
            path=path,
            code="newer-bundle",
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _broken(path, f"its {MANIFEST} is wrong at {place}: {first['msg']}") from error


def _require_memory(path: Path, manifest: Manifest, files: BundleFiles) -> None:
    there = available_bytes()
    needed = max(manifest.network.needs_bytes, 2 * sum(files.sizes().values()))
    if there is not None and needed > there:
        raise BadBundle(
            f"loading it takes about {format_bytes(needed)} of memory, "
            f"and {format_bytes(there)} are free",
            "a model that fits",
            "Close other programs, or use a larger machine.",
            path=path,
            code="too-large",
        )


def write_bundle(
    out: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any], *, overwrite: bool = False
) -> None:
    """Write a bundle whole or not at all: a zip if the name ends so, else a folder.

    Raises BadOutput if something is there already (a bundle is replaced with `overwrite`).
    """
    if out.exists() and not (overwrite and is_bundle(out)):
        raise BadOutput(
            "it exists already",
            "a new name",
            "Choose another --out, or replace an earlier bundle with --overwrite.",
            path=out,
            code="output-exists",
        )
    entries = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "n_bytes": len(content)}
        for name, content in files.items()
    }
    head = {"kind": KIND, "format_version": BUNDLE_FORMAT, **manifest, "files": entries}
    text = json.dumps(head, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    everything = {MANIFEST: text.encode(), **files}
    if out.suffix.lower() == ".zip":
        _write_zip(out, everything)
    else:
        _write_folder(out, everything)


def _write_zip(out: Path, files: Mapping[str, bytes]) -> None:
    with replacing(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            kind = zipfile.ZIP_STORED if name.endswith((".onnx", ".bin")) else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compress_type=kind)


def _write_folder(out: Path, files: Mapping[str, bytes]) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=".writing-"))
    except OSError as error:
        raise unwritable(out, error) from error
    try:
        for name, content in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        temporary.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        temporary.replace(out)
    except OSError as error:
        raise unwritable(out, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _problem(path: Path, what: str, code: str) -> Problem:
    return Problem(
        what,
        "a bundle as `pixelwise export` wrote it",
        "Get it again from its source, or export it anew.",
        str(path),
        code=code,
    )


def _broken(path: Path, what: str) -> BadBundle:
    return BadBundle(_problem(path, what, "damaged-bundle"))
