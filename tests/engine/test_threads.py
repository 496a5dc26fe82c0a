"""Several threads at once, on graphs that share leaves."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from micrograd_nn import Tensor, Value, gradients
from micrograd_nn import functional as F


def together(*jobs):
    """Run the jobs at the same moment and give what each returned."""
    start = threading.Barrier(len(jobs))

    def job(f):
        start.wait()
        return f()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job, f) for f in jobs]]


def test_gradients_through_a_shared_leaf():
    w = Value(0.5)
    shared = Tensor(np.linspace(-1, 1, 5), requires_grad=True)

    def slopes(k):
        def run():
            found = set()
            for _ in range(200):
                root = F.sum(F.tanh(shared * w * k)) * w
                here = gradients(root)
                found.add((here[w], here[shared].tobytes()))
            return found

        return run

    alone = [slopes(k)() for k in (1.0, 2.0, 3.0)]
    assert together(*(slopes(k) for k in (1.0, 2.0, 3.0))) == alone
    assert all(len(found) == 1 for found in alone)
    assert w.grad is None


def test_backward_adds_up_over_threads():
    w = Value(2.0)

    def run():
        for _ in range(500):
            y = w
            for _ in range(5):
                y = y * 1.0
            y.backward()

    together(run, run, run)
    assert w.grad == 1500.0


def test_two_trainings_beside_each_other():
    frozen = Tensor(np.array([1.0, -2.0]), requires_grad=True)  # shared, never changed

    def train(target):
        def run():
            w = Tensor(np.zeros(2), requires_grad=True)
            for _ in range(300):
                loss = ((w * frozen - target) ** 2).sum()
                w.grad = gradients(loss)[w]
                w.data -= 0.05 * w.grad
            return w.data.tolist()

        return run

    targets = [np.array([1.0, 2.0]), np.array([-3.0, 0.5]), np.array([0.0, 1.0])]
    assert together(*map(train, targets)) == [train(t)() for t in targets]
