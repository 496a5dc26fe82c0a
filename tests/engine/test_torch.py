"""The same inputs through PyTorch, where it is installed."""

import numpy as np
import pytest
from cases import BINARY, CASES, ELEMENTWISE, LABELS, leaves, weights_like

from micrograd_nn import functional as F
from micrograd_nn import gradients

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
T = torch.nn.functional

OTHER_NAMES = {
    "identity": lambda x: x * 1, "clip": lambda x: torch.clip(x, -0.77, 1.03), "elu": T.elu, "gelu": T.gelu,
    "silu": T.silu, "softplus": T.softplus, "leaky_relu": T.leaky_relu,
}  # fmt: skip
THEIRS = {
    **{n: OTHER_NAMES.get(n, getattr(torch, n, None)) for n in (*ELEMENTWISE, *BINARY)},
    "softmax": lambda x: torch.softmax(x, -1), "log_softmax": lambda x: torch.log_softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, (0, 1)), "sum": torch.sum, "mean": torch.mean, "prod": torch.prod,
    "var": lambda x: torch.var(x, correction=0), "std": lambda x: torch.std(x, correction=0), "max": torch.amax,
    "min": torch.amin, "norm": torch.linalg.norm, "matmul": torch.matmul, "inner": torch.inner,
    "einsum": lambda x, y: torch.einsum("ijk,jk->ki", x, y), "diag": torch.diag,
    "flip": lambda x: torch.flip(x, (0, 1, 2)),
    "prelu": T.prelu, "l1_loss": T.l1_loss, "nll_loss": lambda x: T.nll_loss(x, torch.tensor(LABELS)),
    "binary_cross_entropy_with_logits": T.binary_cross_entropy_with_logits,
    "mse_loss": T.mse_loss, "cross_entropy": lambda x: T.cross_entropy(x, torch.tensor(LABELS)),
    "transpose": lambda x: x.permute(2, 1, 0),
}  # fmt: skip
FIRST = {name: next(c for c in CASES if c.name == name) for name in THEIRS}


@pytest.mark.parametrize("name", THEIRS)
def test_values_and_gradients_of_two_orders(name):
    arrays = FIRST[name].inputs
    ours, theirs = leaves(arrays), [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = FIRST[name].call(*ours), THEIRS[name](*theirs)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    weights = weights_like(out.data)
    found = gradients((out * weights).sum(), create_graph=True)
    slopes = torch.autograd.grad((expected * torch.tensor(weights)).sum(), theirs, create_graph=True)
    for x, slope in zip(ours, slopes, strict=True):
        np.testing.assert_allclose(found[x].data, slope.detach().numpy(), rtol=1e-11, atol=1e-13)
    total, their_total = sum(F.sum(found[x] * found[x]) for x in ours), sum((s * s).sum() for s in slopes)
    if their_total.requires_grad:
        again = gradients(total) if total.requires_grad else {}
        curvatures = torch.autograd.grad(their_total, theirs, allow_unused=True)
        for x, curvature in zip(ours, curvatures, strict=True):
            expected = np.zeros(x.shape) if curvature is None else curvature.numpy(force=True)
            np.testing.assert_allclose(again.get(x, np.zeros(x.shape)), expected, rtol=1e-10, atol=1e-12)


def test_a_network_with_cross_entropy():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in ((8, 5), (6, 5), (6,), (3, 6), (3,))]
    labels = rng.integers(0, 3, 8)

    def loss(x, w1, b1, w2, b2, tanh, cross_entropy, labels):
        return cross_entropy(tanh(x @ w1.T + b1) @ w2.T + b2, labels)

    ours, theirs = leaves(arrays), [torch.tensor(a, requires_grad=True) for a in arrays]
    mine = loss(*ours, F.tanh, F.cross_entropy, labels)
    other = loss(*theirs, torch.tanh, T.cross_entropy, torch.tensor(labels))
    assert mine.item() == pytest.approx(other.item(), rel=1e-14)
    mine.backward()
    other.backward()
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x.grad, y.grad.numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("name", ["sum", "mean", "softmax", "matmul", "tanh", "sigmoid", "std", "max"])
def test_float32_is_as_near_as_float32_can_be(name):
    arrays = [a.astype(np.float32) for a in FIRST[name].inputs]
    ours, theirs = leaves(arrays), [torch.tensor(a, requires_grad=True) for a in arrays]
    found = gradients(F.sum(FIRST[name].call(*ours)))
    THEIRS[name](*theirs).sum().backward()
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found[x], y.grad.numpy(), rtol=1e-5, atol=1e-6)
