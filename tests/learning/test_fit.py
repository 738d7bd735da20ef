"""The training loop learns, keeps its deadline, stops at divergence, and can be interrupted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from pixelwise.core.errors import UserError
from pixelwise.core.records import IntervalRecord
from pixelwise.data.patches import Batch
from pixelwise.learning.fit import Until, fit
from pixelwise.learning.schedule import learning_rate_at, progress_at
from pixelwise.learning.state import TrainingState, restore_state, state_tensors, update_average
from pixelwise.losses.overlap import cross_entropy
from pixelwise.runs.folder import RunFolder

from .fixtures import OPTIMIZER, draw, start

LOSS = cross_entropy()


def run(state: TrainingState, until: Until, interval: float = 60.0) -> list[IntervalRecord]:
    return list(fit(state, draw, LOSS, OPTIMIZER, until, interval_seconds=interval))


def everything(state: TrainingState) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in state_tensors(state)[0].items()}


def test_it_learns() -> None:
    state = start(60, width=4, depth=1)
    with torch.no_grad():
        first = float(LOSS(state.network(draw(99).images), draw(99).target, draw(99).valid))
    records = run(state, Until(60))
    with torch.no_grad():
        last = float(LOSS(state.averaged(draw(99).images), draw(99).target, draw(99).valid))
    assert last < first / 2
    assert records[-1].step == records[-1].n_steps == state.step == 60


@pytest.mark.parametrize("through_files", [False, True])
def test_resumed_equals_undisturbed(tmp_path: Path, through_files: bool) -> None:
    """Weights, averaged weights, optimizer and random state, bit for bit."""
    straight = start()
    run(straight, Until(12))
    broken = start()
    run(broken, Until(5))
    tensors, numbers = state_tensors(broken)
    if through_files:
        folder = RunFolder(tmp_path)
        folder.save_training(tensors, numbers)
        tensors, numbers = folder.read_training()
    else:
        tensors = everything(broken)
    torch.rand(7)  # another session has used another random state
    resumed = start()
    restore_state(resumed, tensors, numbers)
    assert resumed.step == 5
    run(resumed, Until(12))
    expected, found = everything(straight), everything(resumed)
    assert found.keys() == expected.keys()
    assert any(name.startswith("optimizer.") for name in found)
    differing = [name for name in found if not torch.equal(found[name], expected[name])]
    assert not differing


def test_looking_in_between_changes_nothing() -> None:
    """Records, pauses and evaluations of the caller leave no trace in the weights."""
    straight = start()
    run(straight, Until(12))
    watched = start()
    records = 0
    for _ in fit(watched, draw, LOSS, OPTIMIZER, Until(12), interval_seconds=0.0):
        watched.network.eval()
        records += 1
    assert records == 12
    expected = everything(straight)
    assert all(torch.equal(value, expected[name]) for name, value in everything(watched).items())


def test_the_first_step_by_hand() -> None:
    """AdamW's first step moves a weight by the learning rate against its gradient's sign.

    (1 - decay x rate) x weight - rate x g / (|g| + eps): Loshchilov and Hutter 2019, algorithm 2.
    """
    state = start(12, width=4, depth=1)
    before = {name: p.detach().clone() for name, p in state.network.named_parameters()}
    run(state, Until(1))
    rate = learning_rate_at(progress_at(0, ((0, 12),)), OPTIMIZER)
    assert rate == pytest.approx(0.01 * 0.01)
    moved = 0
    for name, parameter in state.network.named_parameters():
        kept = before[name] * (1 - 0.01 * rate) if parameter.ndim > 1 else before[name]
        step = (parameter.detach() - kept).abs()
        assert float(step.max()) <= rate * 1.01
        moved += int((step > 0.9 * rate).sum())
    assert moved > 0.5 * sum(p.numel() for p in before.values())


def test_averaging_by_hand() -> None:
    """After step 1 the decay is min(0.9, 2 / 11): average = 2/11 old + 9/11 new."""
    state = start(12, width=4, depth=1)
    name = "heads.0.bias"
    old, new = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -2.0])
    with torch.no_grad():
        state.averaged.get_parameter(name).copy_(old)
        state.network.get_parameter(name).copy_(new)
    state.step = 1
    update_average(state, 0.9)
    torch.testing.assert_close(state.averaged.get_parameter(name), (2 * old + 9 * new) / 11)
    state.step = 10_000
    update_average(state, 0.9)
    expected = 0.9 * (2 * old + 9 * new) / 11 + 0.1 * new
    torch.testing.assert_close(state.averaged.get_parameter(name), expected)


def test_gradients_are_clipped() -> None:
    """A loss a million times as large takes the same steps once its gradient is cut to norm 1."""
    plain, loud = start(3, width=4, depth=1), start(3, width=4, depth=1)
    sizes = []

    def scaled(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        return LOSS(logits, target, valid) * 1e6

    list(fit(loud, draw, scaled, OPTIMIZER, Until(3)))
    list(fit(plain, draw, LOSS, OPTIMIZER, Until(3)))
    for state in (plain, loud):
        grads = [p.grad for p in state.network.parameters() if p.grad is not None]
        sizes.append(float(torch.stack([g.pow(2).sum() for g in grads]).sum().sqrt()))
    assert max(sizes) <= 1.0 + 1e-5
    assert sizes[1] == pytest.approx(1.0, abs=1e-4)


def broken_batch(step: int) -> Batch:
    batch = draw(step)
    return Batch(batch.images * float("nan"), batch.target, batch.valid)


def test_divergence_is_told() -> None:
    state = start(100)
    with pytest.raises(UserError, match=r"diverged.*20 steps in a row.*learning_rate") as caught:
        list(fit(state, broken_batch, LOSS, OPTIMIZER, Until(100)))
    assert caught.value.problems[0].code == "diverged"
    assert state.step == 20


def test_single_bad_batches_are_skipped() -> None:
    """Every second batch is not finite: nothing of it stays, not in running statistics either."""
    state = start(60, width=4, depth=1)

    def mixed(step: int) -> Batch:
        return broken_batch(step) if step % 2 else draw(step)

    records = list(fit(state, mixed, LOSS, OPTIMIZER, Until(60)))
    assert state.step == 60
    for module in (state.network, state.averaged):
        assert all(torch.isfinite(value).all() for value in module.state_dict().values())
    assert 0 < records[-1].loss < 2


def test_a_deadline_is_kept() -> None:
    """Planned for far too many steps; refitted, the schedule still comes to its end in time."""
    state = start(12, width=4, depth=1)
    state.pace = ((0, 100_000),)
    started = time.monotonic()
    until = Until(deadline=started + 1.5)
    records = run(state, until, interval=0.25)
    spent = time.monotonic() - started
    assert spent < 6
    assert state.step < 100_000
    assert len(state.pace) > 1
    assert records[-1].step == state.step
    assert progress_at(state.step, state.pace) > 0.5


def test_a_fixed_number_of_steps_ignores_the_clock() -> None:
    state = start(4, width=4, depth=1)
    run(state, Until(n_steps=4, deadline=time.monotonic() - 100))
    assert state.step == 4
    assert state.pace == ((0, 4),)


def test_a_request_to_stop_is_heard_after_the_step() -> None:
    state = start(50, width=4, depth=1)
    until = Until(n_steps=50, should_stop=lambda: state.step >= 3)
    records = run(state, until)
    assert state.step == 3
    assert [record.step for record in records] == [3]


def test_the_target_is_cut_to_a_valid_network() -> None:
    """188 in, 4 out: only the middle 4 x 4 of the target counts."""
    state = start(1, name="unet-paper", width=2)
    seen: list[torch.Tensor] = []

    def note(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        assert logits.shape == (2, 2, 4, 4)
        seen.append(target)
        return LOSS(logits, target, valid)

    list(fit(state, lambda step: draw(step, size=188), note, OPTIMIZER, Until(1)))
    assert torch.equal(seen[0], draw(0, size=188).target[:, 92:96, 92:96])
