"""`sweep`: do the same run with many settings and seeds, on every core or on a cluster, and tabulate what came out."""

from __future__ import annotations

import itertools
import numbers
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from micrograd_nn.checks import at_least_one
from micrograd_nn.sweeping._crew import CannotSend, Crew, Outcome, one_blas_thread, what_happened
from micrograd_nn.sweeping._result import Group, Row, Spread, SweepResult, shortened

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = ["Group", "Row", "Spread", "SweepResult", "sweep"]

DIED = "its worker process died, and died again when the run was tried alone (killed, out of memory, or a crash)"


def sweep(
    run: Callable[..., Any], settings: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    executor: Executor | None = None, *, seeds: int | Iterable[int] | None = None, workers: int | None = None,
    progress: bool | None = None,
) -> SweepResult:  # fmt: skip
    """Call `run(**setting)` for every setting, many at a time; it returns a number or a dict of numbers.

    `settings` is a list of dicts, or a dict of lists, which stands for all combinations. `seeds=20` does each with
    seed=0 to seed=19; a list names the seeds. The rows of the result are in this order, whatever ends first.

    By default runs are spread over processes of our own, `workers` of them (default: the cores), each computing with
    one BLAS thread. `run` must then be importable: defined at the top of a module, called in a script from under
    `if __name__ == "__main__":`. Or pass any `concurrent.futures.Executor`: a thread pool, a cluster's
    (dask.distributed: `client.get_executor()`), an MPI pool. It is handed at most `workers` runs at a time (default:
    as many as it has workers, or 1,000 if it does not say), so that 100,000 settings take no room in a queue.

    - A run that raises is recorded with its error, and stops nobody.
    - A worker that dies takes the runs it is at with it. They are done again at the end, one at a time; the one that
      ends its worker again has failed. So a run may be begun twice: let it not append to files.
    - An executor that breaks is replaced by processes of our own, with a RuntimeWarning and a line in `.notes`.
    - Ctrl-C returns what there is: `.ended` is "interrupted", what was not done has failed with that error. Our own
      processes end at once; an executor that was passed in is left to finish the runs that had begun.

    `progress` shows a bar on a terminal and plain lines elsewhere; False is silent. Raises TypeError for a run that
    cannot be sent to a worker process, or does not take the settings' names.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from micrograd_nn import data, fit, nn
    >>> def run(hidden, seed):
    ...     X, y = data.make_moons(60, rng=seed)
    ...     return {"loss": fit(nn.MLP(2, [hidden, 2], rng=seed), X, y, epochs=2, rng=seed, progress=False)["loss"][-1]}
    >>> with ThreadPoolExecutor(2) as pool:
    ...     result = sweep(run, {"hidden": [2, 8]}, pool, seeds=3, progress=False)
    >>> [(g.setting, g.values["loss"].n) for g in result.group()]
    [({'hidden': 2}, 3), ({'hidden': 8}, 3)]
    """
    from concurrent.futures import BrokenExecutor, CancelledError
    from queue import Empty, SimpleQueue

    every = _settings(settings, seeds)
    _check_names(run, every)
    workers = None if workers is None else at_least_one(workers, "workers")
    rows: list[Row | None] = [None] * len(every)
    waiting, suspects = deque(range(len(every))), deque[int]()
    died, lost = set[int](), set[int]()
    flight: dict[Future[Outcome], tuple[int, Executor]] = {}
    over: SimpleQueue[Future[Outcome]] = SimpleQueue()
    notes: list[str] = []
    ended, failures, begun, closed = "finished", 0, False, False
    crew: Crew | None = None
    refusal = ""

    with one_blas_thread(), _display(progress, len(every)) as show:

        def note(index: int, values: dict[str, float], seconds: float, error: str | None) -> None:
            nonlocal failures
            rows[index] = Row(every[index], values, seconds, error)
            failures += error is not None
            show(failures)

        def replace(crew: Crew, why: BaseException) -> None:
            """After a break: a new pool; or, when there can be none, a refusal for each run that is left."""
            nonlocal refusal
            if not crew.own:
                count = sum(row is None for row in rows)
                notes.append(
                    f"The executor was lost ({shortened(what_happened(why), 200)}) with {count:,} of {len(every):,} "
                    "runs to do: these go to processes of our own."
                )
                warnings.warn(notes[-1], RuntimeWarning, stacklevel=3)
            try:
                crew.replace()
            except (TypeError, RuntimeError) as error:
                refusal = f"not done: the executor was lost, and {error}"

        def hand_over(crew: Crew, queue: deque[int]) -> None:
            nonlocal begun
            if refusal:
                note(queue.popleft(), {}, 0.0, refusal)
                return
            try:
                future = crew.submit(every[queue[0]])
            except CannotSend as error:
                note(queue.popleft(), {}, 0.0, str(error))
            except BrokenExecutor as error:
                replace(crew, error)
            except Exception as error:
                if not begun:
                    raise  # an executor that does not even take the first run: somebody's mistake
                note(queue.popleft(), {}, 0.0, f"it could not be handed over: {what_happened(error)}")
            else:
                begun = True
                flight[future] = queue.popleft(), crew.executor
                future.add_done_callback(over.put)

        try:
            crew = Crew(run, executor, workers, len(every))
            while waiting or suspects or flight:
                if waiting and len(flight) < crew.width and over.empty():
                    hand_over(crew, waiting)
                    continue
                if not flight:
                    hand_over(crew, suspects)
                    continue
                try:
                    future = over.get(timeout=1)  # on Windows, Ctrl-C is not heard while waiting
                except Empty:
                    continue
                index, worker = flight.pop(future)
                try:
                    note(index, *future.result())
                except KeyboardInterrupt:
                    raise
                except BaseException as error:
                    broken = isinstance(error, BrokenExecutor)
                    if broken or _killed(error):
                        if index in died:
                            note(index, {}, 0.0, DIED)
                        else:
                            died.add(index)
                            suspects.append(index)
                        if broken and worker is crew.executor and not refusal:
                            replace(crew, error)
                    elif isinstance(error, CancelledError) and index not in lost:
                        lost.add(index)  # not our doing: the executor let it go
                        waiting.append(index)
                    else:
                        note(index, {}, 0.0, f"its executor gave it up: {what_happened(error)}")
            crew.close()
            closed = True
        except KeyboardInterrupt:
            for future, (index, _) in flight.items():
                if future.done() and not future.cancelled() and not future.exception():
                    rows[index] = Row(every[index], *future.result())  # it came in just now
            for index, row in enumerate(rows):
                if row is None:
                    ended = "interrupted"
                    rows[index] = Row(every[index], {}, 0.0, "not done: interrupted")
        finally:
            for future in list(flight):
                future.cancel()
            if crew is not None and not closed:
                crew.abandon()
    return SweepResult([row for row in rows if row is not None], ended, notes)


def _killed(error: BaseException) -> bool:
    """Whether a cluster gave the run up because the workers that tried it died (dask.distributed's KilledWorker)."""
    return any(kind.__name__ == "KilledWorker" for kind in type(error).__mro__)


def _settings(settings: Any, seeds: Any) -> list[dict[str, Any]]:
    """Every setting, one a run, in order."""
    if isinstance(settings, Mapping):
        for name, choices in settings.items():
            if isinstance(choices, (str, bytes, Mapping)) or not isinstance(choices, Iterable):
                raise TypeError(f"settings: {name!r} is a list of what to try: write {{{name!r}: [{choices!r}]}}.")
        lists = {name: list(choices) for name, choices in settings.items()}
        every = [dict(zip(lists, choice, strict=True)) for choice in itertools.product(*lists.values())]
        empty = [name for name, choices in lists.items() if not choices]
        if empty:
            raise ValueError(f"settings: the list of {empty[0]!r} is empty, so there is nothing to run.")
    else:
        every = []
        if not isinstance(settings, Iterable) or isinstance(settings, (str, bytes)):
            raise TypeError(f"settings is a list of dicts, or a dict of lists, not {settings!r:.60}.")
        for k, setting in enumerate(settings):
            if not isinstance(setting, Mapping):
                raise TypeError(f"settings is a list of dicts, or a dict of lists; entry {k} is {setting!r}.")
            every.append(dict(setting))
        if not every:
            raise ValueError("settings is empty, so there is nothing to run.")
    for setting in every:
        if wrong := [name for name in setting if not isinstance(name, str)]:
            raise TypeError(f"settings: the name of an argument is text, not {wrong[0]!r}.")
    if seeds is None:
        return every
    counted = isinstance(seeds, numbers.Integral) and not isinstance(seeds, bool)
    listed = isinstance(seeds, Iterable) and not isinstance(seeds, (str, bytes))
    each = list(range(int(seeds))) if counted else list(seeds) if listed else []
    if not each:
        raise ValueError(f"seeds is how many (at least 1), or a list of them, not {seeds!r}.")
    if any("seed" in setting for setting in every):
        raise ValueError("the settings say seed already: leave out seeds=.")
    return [setting | {"seed": seed} for setting in every for seed in each]


def _check_names(run: Any, every: list[dict[str, Any]]) -> None:
    """Refuse at once what would fail in every run: arguments that `run` does not take."""
    import inspect

    if not callable(run):
        raise TypeError(f"run is a function that is called with each setting, not {run!r}.")
    try:
        signature = inspect.signature(run)
    except (TypeError, ValueError):
        return  # some functions written in C do not say
    for names in dict.fromkeys(tuple(setting) for setting in every):
        try:
            signature.bind(**dict.fromkeys(names))
        except TypeError as error:
            name = getattr(run, "__qualname__", None) or repr(run)
            call = ", ".join(f"{n}=..." for n in names)
            raise TypeError(f"{name}{signature} cannot be called as {name}({call}): {error}.") from None


@contextmanager
def _display(progress: bool | None, runs: int) -> Iterator[Callable[[int], None]]:
    """How the end of a run is shown, with the failures so far: a bar on a terminal, lines elsewhere, or not at all."""
    done = 0
    if progress is False:
        yield lambda failures: None
    elif not sys.stderr.isatty():
        every = -(-runs // 10)  # about ten lines

        def line(failures: int) -> None:
            nonlocal done
            done += 1
            if done % every == 0 or done in (1, runs):
                text = f"run {done:>{len(str(runs))}}/{runs}" + (f"  {failures} failed" if failures else "")
                print(text, file=sys.stderr, flush=True)

        yield line
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        facts = TextColumn("{task.description}")
        columns = (TextColumn("run"), MofNCompleteColumn(), BarColumn(12), facts, TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=runs)
            yield lambda failures: bar.update(task, advance=1, description=f"{failures} failed" if failures else "")
