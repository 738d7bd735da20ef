"""A copy of the code at one commit: what runs for hours must not change under an editor's hands."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Code:
    """A folder with the project's code and the commit that it holds."""

    folder: Path
    commit: str
    is_dirty: bool

    def environment(self) -> dict[str, str]:
        """Variables for a process that must use this code and no other."""
        path = os.pathsep.join((str(self.folder / "src"), str(self.folder)))
        return os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def pin_code(work: Path, commit: str = "HEAD") -> Code:
    """The code of a commit in a clone below `work`, made or brought to it."""
    wanted = _git(CHECKOUT, "rev-parse", f"{commit}^{{commit}}")
    folder = work / "code"
    if not (folder / ".git").exists():
        work.mkdir(parents=True, exist_ok=True)
        _git(work, "clone", "--quiet", "--no-checkout", str(CHECKOUT), str(folder))
    _git(folder, "fetch", "--quiet", "origin")
    _git(folder, "checkout", "--quiet", "--force", "--detach", wanted)
    _git(folder, "clean", "-fdq")
    return Code(folder, wanted, is_dirty=False)


def code_here() -> Code:
    """The checkout as it lies there, for trying things out."""
    is_dirty = bool(_git(CHECKOUT, "status", "--porcelain"))
    return Code(CHECKOUT, _git(CHECKOUT, "rev-parse", "HEAD"), is_dirty)


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
