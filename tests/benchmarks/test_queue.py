"""The benchmark queue: skips what is valid, redoes what was killed, stores whole files only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.networks import TABLE
from benchmarks.networks.pages import CHART, PAGE, render
from benchmarks.networks.scatter import Dot, Panel, draw
from benchmarks.queue.cells import Cell, fingerprint, select
from benchmarks.queue.pinned_code import CHECKOUT, Code, pin_code
from benchmarks.queue.store import Store
from benchmarks.queue.work import Work, measure_cells, run_cells, time_cells
from pixelwise.networks import NETWORKS

WORKER = r"""
import json, sys, time
from pathlib import Path
verb, request, answer = sys.argv[1:]
request = json.loads(Path(request).read_text())
extra = request["cell"]["extra"]
with (Path(__file__).parent / "calls.txt").open("a") as file:
    file.write(f"{verb} {request['cell']['row']}\n")
if verb == "run" and extra.get("fails"):
    sys.exit("it went wrong")
if verb == "run":
    time.sleep(extra.get("sleeps", 0))
answers = {
    "measure": {"plan": {"width": 8}, "steps": 100, "step_seconds": 3.0},
    "time": dict(request["quiet"] or {}) | {"step_seconds": 2.0},
    "run": {"validation": {"mean_dice": 0.5}, "steps": 100},
}
Path(answer).write_text(json.dumps(answers[verb]))
"""


def make_cell(row: str = "one", **extra: Any) -> Cell:
    return Cell("table", row, "data", 300.0, extra=extra, runner="worker")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A queue whose code is one script that answers at once."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "worker.py").write_text(WORKER)
    return Work(
        tmp_path / "work", Code(code, "abc", is_dirty=False), tmp_path, Store(tmp_path / "results")
    )


def calls(work: Work) -> list[str]:
    path = work.code.folder / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


def test_a_cell_goes_from_measured_to_done_once(work: Work) -> None:
    cell = make_cell()
    assert work.store.state(cell) == "unmeasured"
    assert run_cells(work, [cell]) == 0, "nothing is run that was not measured"
    assert measure_cells(work, [cell]) == 0
    assert work.store.state(cell) == "waiting"
    assert run_cells(work, [cell]) == 0
    assert work.store.state(cell) == "done"
    measure_cells(work, [cell])
    run_cells(work, [cell])
    assert calls(work) == ["measure one", "run one"]
    result = work.store.result(cell)
    assert result is not None
    assert (result["commit"], result["is_dirty"]) == ("abc", False)
    assert len(result["load_before"]) == len(result["load_after"]) == 3
    assert result["cell"]["seed"] == 0
    assert result["wall_seconds"] >= 0


def test_what_defines_a_cell_changes_its_hash(work: Work) -> None:
    cell = make_cell()
    measure_cells(work, [cell])
    run_cells(work, [cell])
    others = [
        replace(cell, settings=("network.name=light",)),
        replace(cell, version=2),
        replace(cell, extra={"fold": 1}),
    ]
    for other in others:
        assert other.name == cell.name
        assert work.store.state(other) == "unmeasured"
    assert work.store.state(replace(cell, interpreter=sys.executable)) == "done"
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_another_plan_makes_a_result_worthless(work: Work) -> None:
    """A cell measured anew with another plan is other work; new times alone are not."""
    cell = make_cell()
    measure_cells(work, [cell])
    run_cells(work, [cell])
    time_cells(work, [cell])
    assert work.store.state(cell) == "done"
    timed = work.store.timed_result(cell)
    assert timed is not None
    assert timed["step_seconds"] == 2.0
    quiet = work.store.quiet(cell)
    assert quiet is not None
    work.store.save_quiet(cell, quiet | {"plan": {"width": 16}})
    assert work.store.state(cell) == "waiting"
    assert work.store.timed_result(cell) is None


def test_one_failure_does_not_stop_the_others(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [make_cell("bad", fails=True), make_cell("good")]
    measure_cells(work, cells)
    assert run_cells(work, cells) == 1
    assert [work.store.state(cell) for cell in cells] == ["waiting", "done"]
    assert "it went wrong" in capsys.readouterr().out
    assert (work.folder / f"failed-{cells[0].name}.log").exists()


def test_no_cell_is_begun_that_would_end_too_late(work: Work) -> None:
    """300 s of training and a minute of overhead do not fit into 200 s."""
    cell = make_cell()
    measure_cells(work, [cell])
    run_cells(work, [cell], max_seconds=200)
    assert work.store.state(cell) == "waiting"
    run_cells(work, [cell], max_seconds=400)
    assert work.store.state(cell) == "done"


def test_an_interrupted_cell_leaves_nothing_and_is_done_again(work: Work, tmp_path: Path) -> None:
    """The signal comes while the cell runs; its process is gone afterwards."""
    script = f"""
import signal, sys
from pathlib import Path
sys.path.insert(0, {str(CHECKOUT)!r})
from tests.benchmarks.test_queue import make_cell
from benchmarks.queue.pinned_code import Code
from benchmarks.queue.store import Store
from benchmarks.queue.work import Work, run_cells
root = Path({str(tmp_path)!r})
code = Code(root / "code", "abc", is_dirty=False)
work = Work(root / "work", code, root, Store(root / "results"))
run_cells(work, [make_cell(sleeps=60)])
"""
    cell = make_cell(sleeps=60)
    measure_cells(work, [cell])
    process = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT)
    until = time.monotonic() + 60
    while "run one" not in calls(work) and time.monotonic() < until:
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(process.pid, signal.SIGINT)
    process.wait(timeout=30)
    assert children
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert work.store.state(cell) == "waiting"
    assert not list((tmp_path / "results").rglob("*.writing"))


def test_two_queues_do_not_share_a_folder(work: Work) -> None:
    script = (
        "import fcntl, sys, time\n"
        f"lock = open({str(work.folder / 'queue.lock')!r}, 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\nprint('held', flush=True)\ntime.sleep(60)\n"
    )
    work.folder.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(SystemExit, match="another queue works here"):
            measure_cells(work, [make_cell()])
        holder.kill()


def test_the_code_is_a_clean_clone_of_a_commit(tmp_path: Path) -> None:
    code = pin_code(tmp_path)
    assert (code.folder / "src" / "pixelwise" / "__init__.py").exists()
    (code.folder / "README.md").write_text("changed")
    (code.folder / "stray.txt").write_text("stray")
    again = pin_code(tmp_path)
    assert again.commit == code.commit
    assert not (again.folder / "stray.txt").exists()
    assert (again.folder / "README.md").read_text() != "changed"
    assert again.environment()["PYTHONPATH"].startswith(str(again.folder / "src"))


def test_cells_by_name() -> None:
    cells = [replace(make_cell(row), data=data) for row in ("a", "b") for data in ("x", "y")]
    assert [(c.row, c.data) for c in select(cells, ["a"])] == [("a", "x"), ("a", "y")]
    assert [(c.row, c.data) for c in select(cells, ["a", "y"])] == [("a", "y")]
    assert select(cells, []) == cells
    with pytest.raises(ValueError, match="no cell is called c"):
        select(cells, ["a", "c"])


def test_the_table_has_every_network_on_both_sets() -> None:
    rows = {(cell.row, cell.data) for cell in TABLE.cells}
    assert {(name, data) for name in NETWORKS.names() for data in ("camvid", "chase-db1")} <= rows
    assert len({cell.name for cell in TABLE.cells}) == len(TABLE.cells)


def make_result(row: str, score: float, milliseconds: float) -> Mapping[str, Any]:
    return {
        "cell": {"row": row, "data": "chase-db1"},
        "validation": {"mean_dice": score},
        "milliseconds_per_image": milliseconds,
        "patches_per_second": 12.5,
        "image_shape": [960, 999],
        "steps": 1500,
        "n_parameters": 1_000_000,
        "receptive_field": [188, 204],
        "plan": {
            "network": {"options": {"width": 16}},
            "sampling": {"patch": [256, 256], "batch": 4},
        },
        "commit": "0123456789abcdef",
        "date": "2026-01-02T03:04:05",
        "versions": {"processor": "a processor", "cores": "2"},
    }


@pytest.mark.parametrize(
    ("light", "said"),
    [
        ((0.735, 100), "Dice -0.005 at 0.25 of its milliseconds"),
        ((0.735, 200), "not kept"),  # half of the time
        ((0.72, 100), "not kept"),  # 0.02 below
    ],
)
def test_the_page_shows_scores_and_whether_the_claim_is_kept(
    light: tuple[float, float], said: str
) -> None:
    pages = render([make_result("unet-16", 0.74, 400.0), make_result("light", *light)])
    assert set(pages) == {PAGE, CHART}
    assert said in pages[PAGE]
    assert ("not kept" in pages[PAGE]) == (said == "not kept")
    row = "| `unet-16` | width 16; 4 of 256x256 | 0.740 | 2.50 | 400 | 1,500 | 12.5 | 1,000,000 |"
    assert f"{row} 188 to 204 |" in pages[PAGE]
    assert pages[CHART].count("<circle") == 2


def test_a_page_of_nothing() -> None:
    assert "No cell" in render([])[PAGE]


def test_names_in_the_chart_do_not_overlap() -> None:
    """Twelve pixels from one to the next, though all dots lie at one height."""
    svg = draw([Panel("p", [Dot(10.0, 0.5, 1000, f"net-{i}") for i in range(5)])], x_label="ms")
    heights = sorted(
        float(line.split('y="')[1].split('"')[0])
        for line in svg.splitlines()
        if ">net-" in line and line.startswith("<text")
    )
    assert len(heights) == 5
    assert all(b - a >= 12 for a, b in pairwise(heights))


def test_stored_files_are_json(work: Work) -> None:
    cell = make_cell()
    measure_cells(work, [cell])
    content = json.loads((work.store.folder / "quiet" / f"{cell.name}.json").read_text())
    assert content["definition"] == fingerprint(cell.definition())
