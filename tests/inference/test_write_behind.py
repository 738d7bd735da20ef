"""Writing beside the network: order, bounds, and errors that are not lost."""

from __future__ import annotations

import threading

import pytest

from pixelwise.inference.write_behind import WriteBehind


def test_calls_are_made_in_order_and_all_before_the_block_ends() -> None:
    written: list[int] = []
    with WriteBehind() as writer:
        for number in range(100):
            writer.submit(1, written.append, number)
    assert written == list(range(100))


def test_what_failed_is_raised_and_the_calls_after_it_are_dropped() -> None:
    written: list[int] = []

    def write(number: int) -> None:
        if number == 3:
            raise OSError("disk full")
        written.append(number)

    with pytest.raises(OSError, match="disk full"), WriteBehind(2, least=1) as writer:
        for number in range(10):
            writer.submit(1, write, number)
    assert written[:3] == [0, 1, 2]
    assert 9 not in written


@pytest.mark.parametrize(("weight", "n_waiting"), [(1, 10), (4, 3), (100, 3)])
def test_as_much_waits_as_the_weights_allow_and_never_fewer_than_the_least(
    weight: int, n_waiting: int
) -> None:
    """Of a capacity of 10: ten light calls; of heavy ones three, though two would fill it."""
    gate, submitted = threading.Event(), threading.Semaphore(0)

    def submit_all() -> None:
        with WriteBehind(10, least=3) as writer:
            for _ in range(n_waiting + 1):
                writer.submit(weight, gate.wait)
                submitted.release()

    thread = threading.Thread(target=submit_all)
    thread.start()
    try:
        assert all(submitted.acquire(timeout=5) for _ in range(n_waiting))
        assert not submitted.acquire(timeout=0.1), "one more had to wait"
    finally:
        gate.set()
        thread.join()


def test_an_exception_in_the_block_drops_what_waits() -> None:
    gate = threading.Event()
    written: list[int] = []
    with pytest.raises(KeyboardInterrupt), WriteBehind() as writer:
        writer.submit(1, gate.wait)
        writer.submit(1, written.append, 1)
        gate_opener = threading.Timer(0.05, gate.set)
        gate_opener.start()
        raise KeyboardInterrupt
    assert written == []
