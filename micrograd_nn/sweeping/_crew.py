"""Whoever does the runs of a sweep: one run in a worker, our own pool of processes, or an executor passed in."""

from __future__ import annotations

import itertools
import numbers
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd_nn.sweeping._result import shortened

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future, ProcessPoolExecutor

__all__ = ["CannotSend", "Crew", "Outcome", "one_blas_thread", "what_happened"]

UNKNOWN_WIDTH = 1000  # runs handed at once to an executor that does not say how many workers it has

Outcome = tuple[dict[str, float], float, str | None]
Tag = tuple[str, int]  # which sweep, and how many runs it had handed over: two equal runs are two to any scheduler
_limiting = threading.Lock()
_sweeps: list[tuple[Any, Any]] = []  # for each sweep that this process has started: who holds BLAS to one thread
_limits: list[Any] = []  # of a process that works for a sweep from elsewhere, once it is held to one BLAS thread


def _one(run: Callable[..., Any], setting: Mapping[str, Any], tag: Tag) -> Outcome:
    """Do one run: its values, seconds, and what went wrong. Nothing is raised, so whatever a future raises was not
    the run."""
    from threadpoolctl import threadpool_limits

    begun = time.perf_counter()
    try:
        with _limiting:
            if not _sweeps and not _limits:
                _limits.append(threadpool_limits(1, "blas"))
        with threadpool_limits(1, "blas"):  # again, because some libraries count threads for each thread that calls
            values = _values(run(**setting))
        return values, time.perf_counter() - begun, None
    except BaseException as error:  # also SystemExit: it would end a worker that other runs share
        return {}, time.perf_counter() - begun, what_happened(error, place=True)


def _one_packed(run: bytes, setting: bytes, tag: Tag) -> Outcome:
    """`_one`, unpacked here: what cannot be unpickled would otherwise end the worker, and the pool with it."""
    try:
        unpacked = pickle.loads(run), pickle.loads(setting)
    except Exception as error:
        return {}, 0.0, f"the worker process cannot load it: {what_happened(error)}"
    return _one(*unpacked, tag)


def _values(returned: Any) -> dict[str, float]:
    if isinstance(returned, Mapping):
        return {str(name): _number(value, f"{name!r} as") for name, value in returned.items()}
    return {"value": _number(returned, "")}


def _number(value: Any, name: str) -> float:
    number = value
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        number = value.item()  # a NumPy scalar, an array of one number, a Value, a Tensor
    if isinstance(number, numbers.Real):
        size = float(number)  # an error, where an int is too large for the mean of the runs
        return int(number) if isinstance(number, int) else size  # a bool counts as 0 or 1: its mean is a share
    raise TypeError(
        f"the run returned {name + ' ' if name else ''}{shortened(repr(value), 80)}: "
        'return a number, or a dict of numbers such as {"loss": 0.1, "accuracy": 0.97}'
    )


def what_happened(error: BaseException, place: bool = False) -> str:
    """Type and message, and the line of the run's own code where it happened."""
    import traceback

    said = "".join(traceback.format_exception_only(error)).strip()[:2000]
    frames = traceback.extract_tb(error.__traceback__) if place else []
    own = next((f for f in frames if f.filename != __file__), None)
    return f"{said} ({Path(own.filename).name}, line {own.lineno})" if own else said


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS computes with one thread in this process while a sweep goes on: cores are not oversubscribed, and sums are
    added up in the same order everywhere.

    One thread alone can say so for a process, and undo it. As several threads may call `sweep`, it is one of its own,
    which is there until the last of these sweeps is over. In a process that only works for a sweep, what is said holds
    from the first run on.
    """
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    with _limiting:
        if _sweeps:
            _sweeps.append(_sweeps[0])
        else:
            thread = ThreadPoolExecutor(1)
            _sweeps.append((thread, thread.submit(lambda: threadpool_limits(1, "blas").__enter__()).result()))
    try:
        with threadpool_limits(1, "blas"):  # again, should it be the caller who may say so, as it has before
            yield
    finally:
        with _limiting:
            thread, limits = _sweeps.pop()
            if not _sweeps:
                thread.submit(limits.__exit__, None, None, None).result()
                thread.shutdown()


def _prepare() -> None:
    """What a worker process of ours does first. Ctrl-C is for the process that started the sweep; and should that one
    be killed, its workers must not stay behind, waiting for runs for ever."""
    import multiprocessing
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _loads(run: bytes) -> str | None:
    """Why a worker process cannot load the run, if it cannot."""
    try:
        pickle.loads(run)
    except Exception as error:
        return what_happened(error)
    return None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class CannotSend(Exception):
    """A setting that cannot be pickled, and why."""


class Crew:
    """Whoever does the runs: the executor that was passed in, and else, or once that is lost, pools of our own."""

    def __init__(self, run: Callable[..., Any], executor: Executor | None, workers: int | None, runs: int) -> None:
        from concurrent.futures import ProcessPoolExecutor

        self.run, self.own = run, False  # whether the executor is a pool of our own
        self.processes = min((executor is None and workers) or _cores(), runs, 61 if sys.platform == "win32" else runs)
        self.tags = zip(itertools.repeat(f"{os.getpid()}-{time.time_ns()}"), itertools.count())
        self.packed: bytes | None = None
        self.executor: Executor
        if executor is None:
            self._open()
        elif not callable(getattr(executor, "submit", None)):
            raise TypeError(
                f"executor has a submit(), such as concurrent.futures.ThreadPoolExecutor(); {executor!r:.40} has none. "
                "How many processes there are is workers=."
            )
        else:
            self.executor = executor
            self.width: int = workers or getattr(executor, "_max_workers", None) or UNKNOWN_WIDTH
            if isinstance(executor, ProcessPoolExecutor):
                self._pack()
                self._try(1)

    def submit(self, setting: dict[str, Any]) -> Future[Outcome]:
        if self.packed is None:
            return self.executor.submit(_one, self.run, setting, next(self.tags))
        try:
            packed = pickle.dumps(setting)
        except Exception as error:
            raise CannotSend(f"the setting cannot be sent to a worker process: {what_happened(error)}") from None
        return self.executor.submit(_one_packed, self.packed, packed, next(self.tags))

    def replace(self) -> None:
        """Go on with a new pool of our own."""
        if self.own:
            self.executor.shutdown(wait=False)
            self.executor = self._pool()
        else:
            self._open()

    def close(self) -> None:
        if self.own:
            self.executor.shutdown()

    def abandon(self) -> None:
        """End the processes of our own pool, in the middle of what they do."""
        if self.own:
            pool: Any = self.executor
            processes = list((pool._processes or {}).values())  # before Python 3.14 there is no public way
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()

    def _open(self) -> None:
        self.width = self.processes  # no run waits inside the pool: those that are lost with it were under way
        self._pack()
        self.executor, self.own = self._pool(), True
        try:
            self._try(self.processes)
        except BaseException:
            self.abandon()
            raise

    def _pool(self) -> ProcessPoolExecutor:
        """Processes that start from nothing on every system: none inherits the state of a thread in mid-sentence."""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        return ProcessPoolExecutor(self.processes, multiprocessing.get_context("spawn"), _prepare)

    def _pack(self) -> None:
        try:
            self.packed = pickle.dumps(self.run)
        except Exception as error:
            raise TypeError(_unsendable(self.run, str(error))) from None

    def _try(self, times: int) -> None:
        """Let the workers start, and see whether they can load the run, before a run is lost to it."""
        from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

        ready = [self.executor.submit(_loads, self.packed or b"") for _ in range(times)]
        first = wait(ready, return_when=FIRST_COMPLETED).done.pop()
        try:
            problem = first.result()
        except BrokenExecutor:
            raise RuntimeError(
                "no worker process can start: their own words are above. Each imports the main script first, so put "
                'what a script does under `if __name__ == "__main__":`; at a prompt or in a notebook, define the run '
                "in a module of its own, or use threads: "
                "sweep(..., executor=concurrent.futures.ThreadPoolExecutor())."
            ) from None
        if problem:
            raise TypeError(_unsendable(self.run, problem))


def _unsendable(run: Any, why: str) -> str:
    name = getattr(run, "__qualname__", None) or repr(run)
    return (
        f"{name} cannot be sent to worker processes ({why}). Define it with `def` at the top of a module that can be "
        "imported (not inside a function, not at a prompt or in a notebook), or use threads: "
        "sweep(..., executor=concurrent.futures.ThreadPoolExecutor())."
    )
