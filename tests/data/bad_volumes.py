"""Data sets of volumes with one fault each, and the page that lists what is said about them.

`python -m tests.data.bad_volumes` writes docs/bad-volumes.md anew. With a folder as argument it
prints the same table of that folder: `python -m tests.data.bad_volumes DATA/awkward/nifti`.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from pixelwise.commands.check import CheckResult, check
from pixelwise.readers import create_labels, open_image
from tests.readers.dicom_files import save_series, save_slice

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "bad-volumes.md"
SHAPE = (9, 8, 6)
VALUES = np.random.default_rng(0).integers(0, 1000, SHAPE).astype(np.int16)
TRUTH = (VALUES > 500).astype(np.uint8)
PLAIN = np.diag([1.0, 1.0, 2.0, 1.0])


@dataclass(frozen=True)
class Fault:
    """A data set in which one thing is wrong, the code of what must be said, and its verdict."""

    title: str
    make: Callable[[Path], object]
    code: str
    verdict: str = "refused"


def save(path: Path, values: Any = VALUES, affine: Any = PLAIN, **fields: Any) -> Path:
    """A NIfTI file in mm; header fields are changed afterwards, for nibabel would mend them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    if fields:
        data = path.read_bytes()
        header = nib.Nifti1Header(data[:348], check=False)
        for name, value in fields.items():
            header[name] = value
        path.write_bytes(header.binaryblock + data[348:])
    return path


def one(values: Any = VALUES, affine: Any = PLAIN, mask: Any = None, **fields: Any) -> Any:
    """A set of one pair: what is wrong is the image, or the mask's affine where it is given."""

    def make(root: Path) -> None:
        save(root / "images" / "a.nii", values, affine, **fields)
        save(root / "masks" / "a.nii", TRUTH, affine if mask is None else mask, **fields)

    return make


def spoilt(name: str, change: Callable[[bytes], bytes], packed: bool = True) -> Any:
    """A set whose image file has other bytes than it should."""

    def make(root: Path) -> None:
        save(root / "masks" / "a.nii.gz", TRUTH)
        path = save(root / "images" / name)
        data = path.read_bytes()
        path.write_bytes(change(gzip.compress(data) if packed else data))

    return make


def series(change: Callable[[list[Path]], object], **fields: Any) -> Any:
    """A set of one DICOM series of six slices, of which some were changed after its mask was made.

    The mask is made on the grid of the whole series.
    """

    def make(root: Path) -> None:
        folder = root / "images" / "a"
        paths = save_series(folder, VALUES.T, **fields)
        (root / "masks").mkdir()
        with (
            open_image(folder) as source,
            create_labels(root / "masks" / "a.nii.gz", source.header) as sink,
        ):
            sink.write((slice(None),) * 3, TRUTH.T)
        for number, path in enumerate(paths):
            path.rename(folder / f"slice{number}")
        change([folder / f"slice{number}" for number in range(len(paths))])

    return make


def respell(path: Path, **fields: Any) -> None:
    """Change fields of a DICOM file; None removes one."""
    import pydicom

    data = pydicom.dcmread(path)
    for name, value in fields.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    data.save_as(path)


def channels(affine: Any, n_files: int = 2) -> Any:
    """A set of two cases whose channels are files; the second channel of one has another grid."""

    def make(root: Path) -> None:
        for case in ("a", "b"):
            save(root / "masks" / f"{case}.nii", TRUTH)
            save(root / "images" / f"{case}_0000.nii")
        save(root / "images" / "a_0001.nii")
        if n_files == 2:
            save(root / "images" / "b_0001.nii", VALUES, affine)

    return make


def text(header: str, suffix: str) -> Any:
    """A set whose image is a header in words with the voxels behind it."""

    def make(root: Path) -> None:
        save(root / "masks" / "a.nii", TRUTH, np.eye(4))
        (root / "images").mkdir()
        (root / "images" / f"a{suffix}").write_bytes(header.encode() + VALUES.T.tobytes())

    return make


def moved(x: float = 0.0, *, scale: float = 1.0, flip: bool = False) -> Any:
    """The plain affine shifted, with another spacing, or mirrored over the same place."""
    affine = PLAIN.copy()
    affine[0, 0] *= -scale if flip else scale
    affine[0, 3] += x + (SHAPE[0] - 1 if flip else 0)
    return affine


def flipped_mask(root: Path) -> None:
    """Image and mask at one place, the mask stored from right to left."""
    save(root / "images" / "a.nii")
    save(root / "masks" / "a.nii", TRUTH[::-1], moved(flip=True))


def series_and_scout(paths: list[Path]) -> None:
    save_slice(paths[0].with_name("scout"), VALUES[:, :, 0].T, SeriesInstanceUID="1.2.3",
               SeriesNumber=1, SeriesDescription="scout")  # fmt: skip


def halfway(paths: list[Path]) -> None:
    """The fourth slice moved by 1 of the 2.5 mm between slices."""
    respell(paths[3], ImagePositionPatient=[-20, 5, 100 + 3 * 2.5 - 1])


NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 9 8 6\nendian: little\nencoding: raw\n\n"
META = (
    "ObjectType = Image\nNDims = 3\nDimSize = 9 8 6\nElementType = MET_SHORT\n"
    "ElementDataFile = gone.raw\n"
)
SHEAR = PLAIN + np.eye(4, k=2) * np.tan(np.radians(10)) * 2 * np.array([[1], [0], [0], [0]])
METRES = np.diag([0.001, 0.001, 0.002, 1])

FAULTS = (
    Fault("DICOM: a slice is missing", series(lambda p: p[2].unlink()), "dicom-missing-slice"),
    Fault("DICOM: two series in one folder", series(series_and_scout), "dicom-mixed"),
    Fault("DICOM: one slice has other direction cosines",
          series(lambda p: respell(p[1], ImageOrientationPatient=[0, 1, 0, -1, 0, 0])),
          "dicom-turned"),
    Fault("DICOM: a slice lies where another one lies",
          series(lambda p: p[4].with_name("copy").write_bytes(p[4].read_bytes())),
          "dicom-doubled"),
    Fault("DICOM: uneven distances", series(halfway), "dicom-uneven"),
    Fault("DICOM: a slice of another pixel size",
          series(lambda p: respell(p[5], PixelSpacing=[0.4, 0.4])), "dicom-sizes"),
    Fault("DICOM: a slice that does not say where it lies",
          series(lambda p: respell(p[0], ImagePositionPatient=None)), "dicom-no-place"),
    Fault("DICOM: a slice cut off in the middle",
          series(lambda p: p[3].write_bytes(p[3].read_bytes()[:-50])), "damaged"),
    Fault("a channel on another grid", channels(moved(3.0)), "channel-grid"),
    Fault("a channel that is missing", channels(PLAIN, n_files=1), "missing-channel"),
    Fault("a mask at another place", one(mask=moved(4.0)), "mask-geometry"),
    Fault("a mask of another spacing", one(mask=moved(scale=2.0)), "mask-geometry"),
    Fault("a mask stored from right to left, at the same place", flipped_mask, "", "read"),
    Fault("metres", one(affine=METRES, xyzt_units=1), "length-unit", "read"),
    Fault("millimetres called metres", one(affine=PLAIN, xyzt_units=1), "length-unit"),
    Fault("micrometres", one(affine=np.diag([9, 9, 20, 1]), xyzt_units=3), "length-unit", "read"),
    Fault("two volumes along a fourth axis",
          one(np.stack([VALUES, VALUES], -1)), "volumes-as-channels", "warned"),
    Fault("thirty volumes along a fourth axis",
          one(np.stack([VALUES] * 30, -1)), "time-series"),
    Fault("two matrices that disagree",
          one(qoffset_x=30.0, qform_code=1), "two-forms", "warned"),
    Fault("no matrix at all", one(sform_code=0, qform_code=0), "no-orientation", "read"),
    Fault("axes that are not perpendicular", one(affine=SHEAR, qform_code=0), "sheared", "warned"),
    Fault("axes that span no volume",
          one(srow_x=np.zeros(4, np.float32), qform_code=0, sform_code=1), "bad-affine"),
    Fault("gzipped garbage",
          spoilt("a.nii.gz", lambda _: b"\x1f\x8b\x08" + bytes(range(200)), packed=False),
          "not-an-image"),
    Fault("a gzipped letter",
          spoilt("a.nii.gz", lambda _: gzip.compress(b"a letter, no volume. " * 40), packed=False),
          "not-an-image"),
    Fault("a download that broke off",
          spoilt("a.nii.gz", lambda data: data[: len(data) // 2], packed=False), "truncated"),
    Fault("numbers of two parts", one(VALUES.astype(np.complex64)), "number-type"),
    Fault("NRRD in an encoding that is not read",
          text(NRRD.replace("raw", "hex"), ".nrrd"), "bad-header"),
    Fault("MetaImage whose voxels are not there", text(META, ".mhd"), "unreadable"),
)  # fmt: skip


def verdict_of(result: CheckResult) -> str:
    """What became of a data set: refused, warned, or read."""
    found = {problem.severity for problem in result.problems}
    return "refused" if "error" in found else "warned" if "warning" in found else "read"


def row(title: str, verdict: str, root: Path, result: CheckResult, code: str) -> str:
    """A line of the table, with what is said under the code, or how it was read."""
    said = [p for p in result.problems if p.code == code]
    words = " ".join(problem.text() for problem in said) or _reading(result)
    words = words.replace(f"{root}/", "").replace("|", "/")
    return f"| {title} | {verdict} | {words} |"


def _reading(result: CheckResult) -> str:
    case = result.facts.cases[0] if result.facts else None
    if case is None or case.spacing is None:
        return ""
    size, steps = (" x ".join(f"{n:g}" for n in numbers[::-1])
                   for numbers in (case.shape, case.spacing))  # fmt: skip
    return f"{size} voxels of {steps} mm, orientation {case.orientation}"


def make_page() -> str:
    """The page: every fault, what becomes of it, and what `pixelwise check` says."""
    rows = []
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            fault.make(root)
            result = check(root)
            rows.append(row(fault.title, verdict_of(result), root, result, fault.code))
    head = (
        "# Volumes that lie about themselves\n\n"
        "What `pixelwise check` says of data sets with one fault each. Generated by\n"
        "`python -m tests.data.bad_volumes`; the files are made with nibabel and pydicom.\n\n"
        "| fault | verdict | what is said |\n| --- | --- | --- |\n"
    )
    return head + "\n".join(rows) + "\n"


def table_of(root: Path) -> str:
    """The same of a folder that exists: a line for each thing that is said, by file."""
    result = check(root)
    lines = [
        f"| {Path(p.path).name or root.name} | {p.severity} | {p.text().replace(f'{root}/', '')} |"
        for p in result.problems
    ]
    spoken = {Path(problem.path).name.split(".")[0] for problem in result.problems}
    for case in result.facts.cases if result.facts else ():
        if case.id not in spoken:
            lines.append(f"| {case.id} | read | {case.shape}, {case.spacing}, {case.orientation} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(table_of(Path(sys.argv[1]).absolute()) + "\n")
    else:
        PAGE.write_text(make_page(), encoding="utf-8")
