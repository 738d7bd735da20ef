"""The first Ctrl-C asks, the second one aborts, and afterwards everything is as before."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from pixelwise.core.stopping import StopRequest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_only_noted(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with StopRequest() as stop:
        assert not stop.is_set
        os.kill(os.getpid(), number)
        assert stop.is_set
    assert signal.getsignal(number) is before


def test_the_second_one_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_cannot_set_handlers_and_do_not_try() -> None:
    found: list[bool] = []

    def work() -> None:
        with StopRequest() as stop:
            found.append(stop.is_set)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
