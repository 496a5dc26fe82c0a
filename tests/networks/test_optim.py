"""SGD and Adam, step by step against their papers' formulas and PyTorch."""

import numpy as np
import pytest

from micrograd_nn import Tensor, Value, optim

KINDS = [
    (optim.SGD, "SGD", {"lr": 0.1}),
    (optim.SGD, "SGD", {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, "SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    (optim.Adam, "Adam", {"lr": 0.05}),
    (optim.Adam, "Adam", {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1}),
]


def slope(w):
    """The gradient of a bowl that is steeper on one side."""
    return np.where(w > 0, 2 * w, 4 * w) + 0.3


@pytest.mark.parametrize(("ours", "name", "arguments"), KINDS)
def test_twenty_steps_agree_with_pytorch(ours, name, arguments):
    torch = pytest.importorskip("torch")
    start = np.array([1.0, -2.0, 0.5])
    w, t = Tensor(start, requires_grad=True), torch.tensor(start, requires_grad=True)
    mine, theirs = ours([w], **arguments), getattr(torch.optim, name)([t], **arguments)
    for _ in range(20):
        w.grad = slope(w.data)
        t.grad = torch.tensor(slope(t.detach().numpy()))
        mine.step()
        theirs.step()
        np.testing.assert_allclose(w.data, t.detach().numpy(), rtol=1e-10)


def test_sgd_with_momentum_is_a_running_sum():
    w = Tensor([1.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.1, momentum=0.5)
    for grad, expected in [(1.0, 0.9), (1.0, 0.75), (0.0, 0.675)]:
        w.grad = np.array([grad])
        opt.step()
        assert w.data[0] == pytest.approx(expected, abs=1e-15)


def test_adams_first_step_is_lr_in_the_direction_of_the_sign():
    w = Tensor([1.0, 1.0], requires_grad=True)
    w.grad = np.array([1e-3, -50.0])
    optim.Adam([w], lr=0.1).step()
    np.testing.assert_allclose(w.data, [0.9, 1.1], rtol=1e-5)


@pytest.mark.parametrize(("ours", "name", "arguments"), KINDS)
def test_a_value_steps_like_an_array_of_one(ours, name, arguments):
    v, w = Value(1.5), Tensor([1.5], requires_grad=True)
    a, b = ours([v], **arguments), ours([w], **arguments)
    for _ in range(5):
        v.grad, w.grad = float(slope(v.data)), slope(w.data)
        a.step()
        b.step()
    assert v.data == w.data[0]
    assert type(v.data) is float


def test_float32_parameters_stay_float32():
    w = Tensor(np.ones(3, np.float32), requires_grad=True)
    for kind in (optim.SGD, optim.Adam):
        opt = kind([w], lr=0.1, weight_decay=0.1)
        (w * w).sum().backward()
        opt.step()
        assert w.data.dtype == np.float32


def test_a_parameter_without_gradient_stays():
    w = Tensor([1.0], requires_grad=True)
    optim.Adam([w]).step()
    assert w.data[0] == 1.0


def test_a_step_between_forward_and_backward_is_noticed():
    w = Tensor([1.0], requires_grad=True)
    loss = (w * w).sum()
    w.grad = np.ones(1)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="new value"):
        loss.backward()


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: optim.SGD([]), ValueError, "model.parameters"),
        (lambda: optim.SGD([Tensor([1.0])]), TypeError, "require a gradient"),
        (lambda: optim.SGD([np.ones(2)]), TypeError, "require a gradient"),
        (lambda: optim.SGD([Value(1.0)], lr=-1), ValueError, "lr is a number of at least 0"),
        (lambda: optim.Adam([Value(1.0)], betas=(1.0, 0.9)), ValueError, "betas"),
    ],
)
def test_wrong_settings_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()
