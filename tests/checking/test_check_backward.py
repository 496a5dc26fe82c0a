"""`check_backward`: the ways in which a hand-written pair may be written, and what is said where one is not."""

import functools
import math

import numpy as np
import pytest

from micrograd_nn import Tensor, Value
from micrograd_nn.checking import GradcheckError, check_backward

look = functools.partial(check_backward, raise_on_error=False)
RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 4)), RNG.normal(size=4)
LABELS = np.array([0, 1, 1])


def affine(x, w, b):
    return x @ w + b


def slopes(g, x, w, b):
    return g @ w.T, x.T @ g, g.sum(0)


def moved(report):
    return list(dict.fromkeys(r.input for r in report.rows))


# --- what backward returns -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packed",
    [tuple, list, lambda s: dict(zip("xwb", s)), lambda s: {f"d{n}": g for n, g in zip("xwb", s)},
     lambda s: {f"grad_{n}": g for n, g in zip("bwx", s[::-1])}],
    ids=["tuple", "list", "by name", "d and the name", "in another order"],
)  # fmt: skip
def test_one_gradient_for_each_input(packed):
    report = check_backward(affine, lambda *a: packed(slopes(*a)), X, W, B)
    assert moved(report) == ["x", "w", "b"]
    assert report.checked == X.size + W.size + B.size


def test_a_dict_is_matched_by_name_and_not_by_place():
    def swapped(g, x, y):
        return {"dy": g * y, "dx": g * x}  # d(xy) = y dx + x dy

    assert not look(lambda x, y: x * y, swapped, X, X + 1)
    assert check_backward(lambda x, y: x * y, lambda g, x, y: {"dy": g * x, "dx": g * y}, X, X + 1)


@pytest.mark.parametrize("packed", [lambda d: d, lambda d: (d,), lambda d: [d], lambda d: {"dx": d}])
def test_the_gradient_of_one_input_may_stand_alone(packed):
    assert check_backward(np.sin, lambda g, x: packed(g * np.cos(x)), X)


def softmax_loss(scores, labels):
    p = np.exp(scores - scores.max(1, keepdims=True))
    return -np.log((p / p.sum(1, keepdims=True))[np.arange(len(labels)), labels]).mean()


def softmax_slopes(g, scores, labels):
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return g * p / len(labels)


@pytest.mark.parametrize("packed", [lambda d: d, lambda d: (d,), lambda d: (d, None), lambda d: {"dscores": d}])
def test_integers_need_no_gradient(packed):
    report = check_backward(softmax_loss, lambda *a: packed(softmax_slopes(*a)), X, LABELS)
    assert moved(report) == ["scores"]


def test_labels_may_come_first():
    assert check_backward(lambda y, s: softmax_loss(s, y), lambda g, y, s: (None, softmax_slopes(g, s, y)), LABELS, X)
    assert check_backward(lambda y, s: softmax_loss(s, y), lambda g, y, s: softmax_slopes(g, s, y), LABELS, X)


def test_inputs_in_lists_and_dicts_have_gradients_of_the_same_structure():
    def backward(g, p, x):
        return {"b": g.sum(0), "w": x.T @ g}, g @ p["w"].T

    report = check_backward(lambda p, x: x @ p["w"] + p["b"], backward, {"w": W, "b": B}, X)
    assert moved(report) == ["p['w']", "p['b']", "x"]
    assert check_backward(lambda p: p["w"] * p["s"], lambda g, p: {"s": (g * p["w"]).sum(), "w": g * p["s"]},
                          {"w": W, "s": 2.0})  # fmt: skip
    for packed in (list, tuple, lambda s: (s,)):
        assert check_backward(lambda p: p[0] * p[1], lambda g, p, packed=packed: packed([g * p[1], g * p[0]]), [W, W])
    assert check_backward(lambda p: p[0] * 2, lambda g, p: [g * 2], [W])
    assert check_backward(lambda p: p[0] * 2, lambda g, p: [g * 2, None], [W, "name"])


@pytest.mark.parametrize(
    ("returned", "said"),
    [(lambda g, x, w, b: (g @ w.T, x.T @ g), r"returns a tuple of 2, and affine has 3 inputs to move \(x, w, b\)"),
     (lambda g, x, w, b: (*slopes(g, x, w, b), g), "returns a tuple of 4, and affine has 3"),
     (lambda g, x, w, b: g @ w.T, "returns one gradient .*and affine has 3"),
     (lambda g, x, w, b: None, "backward returns None: does it end in a return statement"),
     (lambda g, x, w, b: {"dweights": g}, "a gradient called 'dweights', and the inputs of affine are x, w, b")],
)  # fmt: skip
def test_another_number_of_gradients_is_one_sentence(returned, said):
    with pytest.raises(GradcheckError, match=said) as failed:
        check_backward(affine, returned, X, W, B)
    assert len(failed.value.report.problems) == 1
    assert not failed.value.report.rows


def test_another_structure_is_one_sentence():
    (problem,) = look(lambda p, x: p["w"] * x, lambda g, p, x: (g * x, g * p["w"]), {"w": 1.0}, X).problems
    assert problem.startswith("backward returns float64 of shape (3, 2) for p, which is a dict of 1 ('w')")


def test_a_gradient_that_is_left_out_is_0_and_found_wrong():
    for none in (lambda *a: (*slopes(*a)[:2], None), lambda *a: dict(zip("xw", slopes(*a)))):
        report = look(affine, none, X, W, B)
        assert {r.input for r in report.rows if r.verdict == "wrong"} == {"b"}
        assert report.cause == "never reached"


# --- what backward takes ---------------------------------------------------------------------------------------------


def test_a_pair_with_a_cache():
    def forward(x, w, b):
        return affine(x, w, b), (x, w, b)

    report = check_backward(forward, lambda dout, cache: slopes(dout, *cache), X, W, B)
    assert report.checked == X.size + W.size + B.size
    assert not look(forward, lambda dout, cache: [2 * s for s in slopes(dout, *cache)], X, W, B)
    assert check_backward(lambda x: (np.tanh(x), np.tanh(x)), lambda g, t: g * (1 - t * t), X)
    assert check_backward(
        lambda s, y: (softmax_loss(s, y), (s, y)), lambda g, c: (softmax_slopes(g, *c), None), X, LABELS
    )


def test_an_input_that_is_handed_on_is_a_cache():
    assert check_backward(lambda x: (np.tanh(x), x), lambda g, x: g * (1 - np.tanh(x) ** 2), X)


def test_two_results_are_no_cache():
    report = check_backward(lambda x: (x * 2, x * 3), lambda g, x: g[0] * 2 + g[1] * 3, X)
    assert report.checked == 6


def test_what_can_be_read_in_two_ways_is_settled_by_saying_so():
    def pair(cache):
        return look(lambda x: (np.tanh(x), x * 1.0), lambda g, x: g * (1 - np.tanh(x) ** 2), X, cache=cache)

    assert pair(True)
    assert not pair(False)
    assert "If one is a cache, say cache=True." in str(pair(None))
    with pytest.raises(TypeError, match=r"with a cache it has to return \(out, cache\)"):
        look(np.tanh, lambda g, x: g, X, cache=True)


def test_a_layer_that_keeps_what_it_needs_takes_the_gradient_alone():
    class Square:
        def forward(self, x):
            self.x = x
            return x**2

        def backward(self, grad_output):
            return 2 * self.x * grad_output

        def half(self, grad_output):
            return self.x * grad_output

    layer = Square()
    assert check_backward(layer.forward, layer.backward, X)
    report = look(layer.forward, layer.half, X)
    assert report.cause == "factor"
    assert report.notes[-1] == "half takes one argument: it was called with the gradient that comes in."


def test_several_results_make_a_tuple_of_gradients():
    for pack in (tuple, list, lambda s: dict(zip("ab", s))):
        assert check_backward(lambda x, pack=pack: pack([x * 2, x.sum()]), lambda g, x: g[0] * 2 + g[1], X)

    def forward(x, w):
        return (x * 2, w.sum()), (x, w)

    assert check_backward(forward, lambda g, cache: (g[0] * 2, g[1] * np.ones_like(cache[1])), X, W)


def strided(x, w, stride=1):
    return x[::stride] * w


def strided_slopes(g, x, w, stride=1):
    dx = np.zeros_like(x)
    dx[::stride] = g * w
    return dx, (g * x[::stride]).sum()


def test_settings_go_to_both_by_keyword():
    assert check_backward(strided, strided_slopes, X, 2.0, stride=2)
    assert check_backward(strided, lambda g, x, w: strided_slopes(g, x, w, 2), X, 2.0, stride=2)
    assert check_backward(
        lambda x, **k: strided(x, 2.0, **k), lambda g, x, **k: strided_slopes(g, x, 2.0, **k)[0], X, stride=2
    )


def test_an_array_by_keyword_is_said_to_be_unmoved():
    def backward(g, x, w):
        return g * w

    report = check_backward(strided, backward, X, w=np.array(2.0))
    assert moved(report) == ["x"]
    (note,) = report.notes
    assert note == "w came by keyword and is not moved: gradients are checked of the inputs that are given by place."


@pytest.mark.parametrize("kind", [float, np.float64, np.float32, Value])
def test_numbers(kind):
    assert check_backward(lambda x, y: x * x * y, lambda g, x, y: (2 * g * x * y, g * x * x), kind(2.0), kind(3.0))
    assert check_backward(lambda x: x**2, lambda g, x: np.array([2 * g * x]), kind(2.0))
    assert not look(lambda x: x**2, lambda g, x: g * x, kind(2.0))


def test_code_of_the_math_module_and_0d_arrays():
    assert check_backward(math.sin, lambda g, x: g * math.cos(x), 2.0)
    assert check_backward(np.sin, lambda g, x: g * np.cos(x), np.array(2.0))
    assert check_backward(math.sqrt, lambda g, x: g / (2 * math.sqrt(x)), 1e-3)
    assert check_backward(lambda x: x**0.5, lambda g, x: g / (2 * x**0.5), 1e-3)  # complex below 0


def test_numpy_numbers_arrive_as_they_are():
    def forward(x):
        assert isinstance(x, np.generic)
        return x.sum() ** 2

    assert check_backward(forward, lambda g, x: 2 * g * x, np.float64(3.0))
    assert check_backward(forward, lambda g, x: 2 * g * x, np.float32(3.0))


def test_nodes_arrive_as_arrays():
    def forward(x, y):
        assert isinstance(x, np.ndarray)
        assert isinstance(y, float)
        return x * y

    report = check_backward(forward, lambda g, x, y: (g * y, (g * x).sum()), Tensor(X, name="pixels"), Value(2.0))
    assert moved(report) == ["pixels", "y"]


def test_any_number_of_inputs():
    assert check_backward(lambda *xs: sum(xs), lambda g, *xs: (g,) * len(xs), X, X, X)


# --- errors ----------------------------------------------------------------------------------------------------------


def test_an_error_in_backward_comes_with_how_it_was_called():
    with pytest.raises(ValueError, match="mismatch") as failed:
        check_backward(affine, lambda g, x, w, b: (g @ w, x.T @ g, g.sum(0)), X, W, B)
    assert failed.value.__notes__ == [
        "gradcheck called backward(grad_output, x, w, b) with grad_output: float64 of shape (3, 4), x: float64 of "
        "shape (3, 2), w: float64 of shape (2, 4), b: float64 of shape (4,)."
    ]

    def three(grad_output, x, cache):
        return grad_output

    with pytest.raises(TypeError, match="missing 1 required positional argument: 'cache'") as failed:
        check_backward(np.tanh, three, X)
    assert failed.value.__notes__[0].startswith("gradcheck called three(grad_output, x) with grad_output: float64")


def test_an_error_in_forward_comes_through_untouched():
    with pytest.raises(KeyError) as failed:
        check_backward(lambda x: {}["w"], lambda g, x: g, X)
    assert not hasattr(failed.value, "__notes__")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((X, np.tanh, X), "check_backward takes a function first.*float64 of shape"),
     ((np.tanh, X, X), "a forward and a backward pass first"),
     ((np.tanh, np.tanh, 3), "nothing to move in what tanh is given: pass floats or arrays of floats"),
     ((np.tanh, np.tanh, np.ones(2, complex)), "x is complex")],
)  # fmt: skip
def test_what_cannot_be_checked_is_refused(arguments, said):
    with pytest.raises(TypeError, match=said):
        check_backward(*arguments)


def test_an_option_that_forward_takes_too_is_refused():
    def normed(x, eps=1e-5):
        return x / (np.std(x) + eps)

    with pytest.raises(ValueError, match="eps is an option of check_backward and an argument of normed"):
        check_backward(normed, lambda g, x: g, X, eps=1e-2)


# --- other frameworks ------------------------------------------------------------------------------------------------


def test_another_frameworks_function_in_a_lambda():
    torch = pytest.importorskip("torch")

    def backward(grad_output, x):
        leaf = torch.tensor(x, requires_grad=True)
        return torch.autograd.grad(torch.tanh(leaf).sum(0), leaf, torch.as_tensor(grad_output))[0].numpy()

    assert check_backward(lambda x: torch.tanh(torch.as_tensor(x)).sum(0).numpy(), backward, X)
    assert not look(lambda x: torch.tanh(torch.as_tensor(x)).sum(0).numpy(), lambda *a: 2 * backward(*a), X)


def test_kinks_are_allowed_when_asked():
    def relu(x):
        return np.maximum(x, 0)

    x = np.array([0.0, 1.0, -1.0])
    assert not look(relu, lambda g, x: g * (x > 0), x)
    assert check_backward(relu, lambda g, x: g * (x > 0), x, allow_kinks=True)
    assert not look(relu, lambda g, x: g * np.where(x == 0, 2, x > 0), x, allow_kinks=True)
