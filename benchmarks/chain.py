"""W5: y = tanh(y * 1.01 + 0.01), over and over; one contestant in a process of its own: `chain.py KIND REPEATS`.

Prints the seconds of CPU for the way there and back, by how much the peak of memory grew, y and dy/dx.
"""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any


def by_hand(n: int) -> tuple[float, float]:
    """The same derivative with bare floats and a list."""
    y, kept = 0.3, []
    for _ in range(n):
        y = math.tanh(y * 1.01 + 0.01)
        kept.append(y)
    g = 1.0
    for t in reversed(kept):
        g *= (1.0 - t * t) * 1.01
    return kept[-1], g


def recorded(x: Any, n: int) -> tuple[Any, Any]:
    y = x
    for _ in range(n):
        y = (y * 1.01 + 0.01).tanh()
    y.backward()
    return y.data, x.grad


def micrograd_leaf() -> Any:
    """micrograd has no tanh: this is the one of its author's lecture."""
    from micrograd.engine import Value

    def tanh(self: Any) -> Any:
        t = math.tanh(self.data)
        out = Value(t, (self,), "tanh")

        def _backward() -> None:
            self.grad += (1 - t * t) * out.grad

        out._backward = _backward
        return out

    Value.tanh = tanh
    return Value(0.3)


def memory(key: str) -> int:
    """Bytes in use (`VmRSS`) or at most in use so far (`VmHWM`), where the system tells."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
    except (OSError, StopIteration):
        return 0


def main(kind: str, n: int) -> None:
    if kind == "floats":
        run = lambda: by_hand(n)
    elif kind == "micrograd":
        leaf = micrograd_leaf()
        run = lambda: recorded(leaf, n)
    else:
        import numpy as np

        import micrograd_nn as mg

        x = mg.Value(0.3) if kind == "value" else mg.Tensor(np.array(0.3), requires_grad=True)
        run = lambda: recorded(x, n)
    before, start = memory("VmRSS"), time.process_time()
    try:
        y, gradient = map(float, run())
    except RecursionError:
        print(json.dumps({"error": "RecursionError"}))
        return
    seconds = time.process_time() - start
    print(json.dumps({"cpu": seconds, "bytes": memory("VmHWM") - before, "y": y, "gradient": gradient}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
