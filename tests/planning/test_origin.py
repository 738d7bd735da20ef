"""Where a plan was made and for which data: told when a repetition cannot be exact."""

from __future__ import annotations

from pixelwise.core.plan import OriginSection
from pixelwise.planning.origin import data_digest, differences_from, machine_facts
from tests.plans import make_facts


def test_here_and_with_this_data_nothing_differs() -> None:
    facts = make_facts()
    origin = OriginSection(machine=machine_facts(), data_digest=data_digest(facts))
    assert differences_from(origin, facts) == ()
    assert {"torch", "processor"} <= set(origin.machine)


def test_plans_from_before_this_was_stored_say_nothing() -> None:
    assert differences_from(OriginSection(), make_facts()) == ()


def test_another_machine_is_named() -> None:
    there = machine_facts() | {"torch": "0.9", "processor": "Abacus 3"}
    sentences = differences_from(OriginSection(machine=there), make_facts())
    assert len(sentences) == 1
    assert f"torch 0.9, here {machine_facts()['torch']}" in sentences[0]
    assert "processor Abacus 3, here" in sentences[0]
    assert "numpy" not in sentences[0]


def test_the_digest_follows_what_is_trained_on() -> None:
    """One pixel of a mask counts, a mean that differs in its last digit does not."""
    facts = make_facts()
    first = facts.cases[0]
    moved = first.model_copy(update={"class_pixels": (89, 11)})
    jitter = first.model_copy(update={"means": (first.means[0] * (1 + 1e-12),)})
    others = facts.cases[1:]
    digests = [
        data_digest(facts.model_copy(update={"cases": (case, *others)}))
        for case in (first, moved, jitter)
    ]
    assert digests[0] == digests[2] != digests[1]
    assert data_digest(facts.model_copy(update={"cases": (*others, first)})) == digests[0]
    changed = OriginSection(machine=machine_facts(), data_digest=digests[1])
    assert "data has changed" in differences_from(changed, facts)[0]
