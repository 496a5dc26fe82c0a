"""What the checks of the exercises share: saying to a student what is wrong, in words and without a traceback."""

from typing import Any, NoReturn

import numpy as np
import pytest

from micrograd_nn import Tensor, Value


def fail(words: str) -> NoReturn:
    """The check has failed, for the reason that `words` give."""
    __tracebackhide__ = True
    raise pytest.fail.Exception(words, pytrace=False) from None  # pytest would show an error that led here as well


def filled(answer: Any, name: str) -> Any:
    """`answer`, if there is one: a hole that was left gives None or `...`."""
    __tracebackhide__ = True
    if answer is None or answer is ...:
        fail(
            f"{name} still has its hole: write your code where the dots are, and give the result back with `return` "
            "(`print` only shows it)."
        )
    return answer


def number(answer: Any, name: str) -> float:
    """`answer` as one number, be it a float, a Value or an array of one entry."""
    __tracebackhide__ = True
    answer = filled(answer, name)
    try:
        return float(np.asarray(_plain(answer), dtype=float).reshape(()))
    except (TypeError, ValueError):
        pass  # pytest would show this error too, before the words
    fail(f"{name} should be one number, and yours is {answer!r:.80}.")


def array(answer: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """`answer` as an array of this shape, be it an array, a Tensor or a list."""
    __tracebackhide__ = True
    answer = filled(answer, name)
    try:
        found = np.asarray(_plain(answer), dtype=float)
    except (TypeError, ValueError):
        found = None  # so that pytest does not show this error too, before the words
    if found is None:
        fail(f"{name} should be an array of shape {shape}, and yours is {answer!r:.80}.")
    if found.shape != shape:
        fail(f"{name} should have the shape {shape}, and yours has {found.shape}.")
    return found


def close(found: Any, wanted: Any, words: str, rtol: float = 1e-7) -> None:
    """Fail with `words`, and with both numbers, where `found` is not `wanted` but for rounding."""
    __tracebackhide__ = True
    if not np.allclose(found, wanted, rtol=rtol, atol=1e-10):
        fail(f"{words}\n  yours:    {_shown(found)}\n  expected: {_shown(wanted)}")


def _shown(number: Any) -> str:
    return np.array2string(np.asarray(number), precision=6, threshold=12)


def _plain(answer: Any) -> Any:
    return answer.data if isinstance(answer, (Tensor, Value)) else answer
