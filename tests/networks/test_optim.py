"""Every optimiser, step by step, against its formula written out and against PyTorch; groups; saving and resuming."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from micrograd_nn import Tensor, Value, nn, optim

SHAPES = [(), (3,), (2, 3), (2, 2, 3)]
STEPS = 8

# --- the formulas, one new array for each result ------------------------------------------------------------------


def sgd(w, grads, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    total = None
    for g in grads:
        g = g + weight_decay * w
        total = g if total is None else momentum * total + (1 - dampening) * g
        w = w - lr * (g + momentum * total if nesterov else total if momentum else g)
    return w


def adagrad(w, grads, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    total = initial_accumulator_value
    for t, g in enumerate(grads):
        g = g + weight_decay * w
        total = total + g**2
        w = w - lr / (1 + t * lr_decay) * g / (np.sqrt(total) + eps)
    return w


def rmsprop(w, grads, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    square = mean = sum_of_steps = 0.0
    for g in grads:
        g = g + weight_decay * w
        square = alpha * square + (1 - alpha) * g**2
        mean = alpha * mean + (1 - alpha) * g
        sum_of_steps = momentum * sum_of_steps + g / (np.sqrt(square - mean**2 if centered else square) + eps)
        w = w - lr * sum_of_steps
    return w


def adam(w, grads, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, decoupled=False):
    mean = square = largest = 0.0
    for t, g in enumerate(grads, 1):
        if decoupled:
            w = w - lr * weight_decay * w
        else:
            g = g + weight_decay * w
        mean = betas[0] * mean + (1 - betas[0]) * g
        square = betas[1] * square + (1 - betas[1]) * g**2
        largest = np.maximum(largest, square)
        v = (largest if amsgrad else square) / (1 - betas[1] ** t)
        w = w - lr * mean / (1 - betas[0] ** t) / (np.sqrt(v) + eps)
    return w


def adamw(w, grads, weight_decay=1e-2, **options):
    return adam(w, grads, weight_decay=weight_decay, decoupled=True, **options)


FORMULAS = {"SGD": sgd, "Adagrad": adagrad, "RMSprop": rmsprop, "Adam": adam, "AdamW": adamw}

# --- settings, drawn --------------------------------------------------------------------------------------------------

rates = st.sampled_from([0.0, 1e-3, 0.05, 0.5])
decays = st.sampled_from([0.0, 1e-4, 0.1])
shares = st.sampled_from([0.0, 0.5, 0.9, 0.99])


def some(**options):
    """Each option drawn, or left at its default."""
    return st.fixed_dictionaries({}, optional=options)


SETTINGS = st.one_of(
    st.tuples(st.just("SGD"), some(lr=rates, momentum=shares, dampening=shares, weight_decay=decays)),
    st.tuples(
        st.just("SGD"),
        st.fixed_dictionaries(
            {"momentum": st.sampled_from([0.5, 0.9]), "nesterov": st.just(True)},
            optional={"lr": rates, "weight_decay": decays},
        ),
    ),
    st.tuples(
        st.just("Adagrad"),
        some(lr=rates, lr_decay=decays, weight_decay=decays, initial_accumulator_value=decays, eps=decays.filter(bool)),
    ),
    st.tuples(
        st.just("RMSprop"),
        some(
            lr=rates, alpha=st.sampled_from([0.5, 0.9, 0.99]), eps=decays.filter(bool), weight_decay=decays,
            momentum=shares, centered=st.booleans(),
        ),
    ),
    st.tuples(
        st.sampled_from(["Adam", "AdamW"]),
        some(
            lr=rates, betas=st.tuples(shares, shares), eps=decays.filter(bool), weight_decay=decays,
            amsgrad=st.booleans(),
        ),
    ),
)  # fmt: skip
ALL = pytest.mark.parametrize("name", FORMULAS)


def start(seed):
    """A leaf of every shape with the gradients it meets; in some steps some have none."""
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=s) for s in SHAPES]
    grads = [[None if rng.random() < 0.2 else rng.normal(size=s) * 3 for s in SHAPES] for _ in range(STEPS)]
    return values, grads


def leaves(values):
    return [Tensor(v, requires_grad=True) for v in values]


@given(SETTINGS, st.integers(0, 2**31))
@example(("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}), 1)
@example(("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1}), 2)
@example(("Adam", {"amsgrad": True, "weight_decay": 0.1}), 3)
@settings(max_examples=150, deadline=None)
def test_every_step_follows_the_formula(setting, seed):
    name, options = setting
    values, grads = start(seed)
    ours = leaves(values)
    opt = getattr(optim, name)(ours, **options)
    for t in range(STEPS):
        for i, p in enumerate(ours):
            p.grad = grads[t][i]
        opt.step()
        for i, p in enumerate(ours):
            met = [g[i] for g in grads[: t + 1] if g[i] is not None]
            np.testing.assert_allclose(p.data, FORMULAS[name](values[i], met, **options), rtol=1e-10, atol=1e-12)


def side_by_side(mine, other, ours, theirs, grads):
    """Take STEPS steps with our optimiser and with PyTorch's, and compare the parameters after each."""
    import torch

    for t in range(STEPS):
        for p, q, g in zip(ours, theirs, grads[t], strict=True):
            p.grad, q.grad = g, None if g is None else torch.tensor(g)
        mine.step()
        other.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-10, atol=1e-12)


@given(SETTINGS, st.integers(0, 2**31))
@example(("SGD", {}), 0)
@example(("Adagrad", {}), 0)
@example(("RMSprop", {}), 0)
@example(("Adam", {}), 0)
@example(("AdamW", {}), 0)
@settings(max_examples=150, deadline=None)
def test_every_step_agrees_with_pytorch(setting, seed):
    torch = pytest.importorskip("torch")
    name, options = setting
    values, grads = start(seed)
    ours, theirs = leaves(values), [torch.tensor(v, requires_grad=True) for v in values]
    mine, other = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    side_by_side(mine, other, ours, theirs, grads)


@ALL
def test_groups_agree_with_pytorch(name):
    torch = pytest.importorskip("torch")
    values, grads = start(5)
    ours, theirs = leaves(values), [torch.tensor(v, requires_grad=True) for v in values]
    mine, other = (
        getattr(where, name)([{"params": p[:2], "weight_decay": 0.3}, {"params": p[2:], "lr": 0.2}], lr=0.05)
        for where, p in ((optim, ours), (torch.optim, theirs))
    )
    side_by_side(mine, other, ours, theirs, grads)


# --- what is said of them ---------------------------------------------------------------------------------------------


def test_sgd_with_momentum_is_a_running_sum():
    w = Tensor([1.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.1, momentum=0.5)
    for grad, expected in [(1.0, 0.9), (1.0, 0.75), (0.0, 0.675)]:
        w.grad = np.array([grad])
        opt.step()
        assert w.data[0] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("kind", [optim.Adam, optim.AdamW, optim.Adagrad])
def test_the_first_step_is_lr_in_the_direction_of_the_sign(kind):
    w = Tensor([1.0, 1.0], requires_grad=True)
    w.grad = np.array([1e-3, -50.0])
    kind([w], lr=0.1, weight_decay=0.0).step()
    np.testing.assert_allclose(w.data, [0.9, 1.1], rtol=1e-5)


@pytest.mark.parametrize(("kind", "shrinks"), [(optim.SGD, True), (optim.AdamW, True), (optim.Adam, False)])
def test_decay_alone_shrinks_weights_geometrically_where_it_is_not_scaled_like_a_gradient(kind, shrinks):
    w = Tensor([2.0, -0.5], requires_grad=True)
    opt = kind([w], lr=0.1, weight_decay=0.2)
    for _ in range(10):
        w.grad = np.zeros(2)
        opt.step()
    assert np.allclose(w.data, np.array([2.0, -0.5]) * (1 - 0.1 * 0.2) ** 10, rtol=1e-12) == shrinks


def test_a_variance_that_rounding_makes_negative_counts_as_none():
    w = Tensor(np.zeros(50), requires_grad=True)
    opt = optim.RMSprop([w], lr=1e-3, alpha=0.1, eps=1.0, centered=True)
    for _ in range(100):
        w.grad = np.linspace(0.1, 7.0, 50)
        opt.step()
    assert np.isfinite(w.data).all()


@given(SETTINGS)
@settings(max_examples=60, deadline=None)
def test_a_value_steps_like_an_array_of_one(setting):
    name, options = setting
    v, w = Value(1.5), Tensor([1.5], requires_grad=True)
    a, b = getattr(optim, name)([v], **options), getattr(optim, name)([w], **options)
    for g in (0.5, -2.0, 1.0, 3.0):
        v.grad, w.grad = g, np.array([g])
        a.step()
        b.step()
    assert v.data == w.data[0]
    assert type(v.data) is float


@ALL
def test_float32_parameters_stay_float32(name):
    w = Tensor(np.ones(3, np.float32), requires_grad=True)
    opt = getattr(optim, name)([w], lr=np.float64(0.1), weight_decay=0.1)
    for _ in range(2):
        opt.zero_grad()
        (w * w).sum().backward()
        opt.step()
    assert w.data.dtype == np.float32
    assert all(v.dtype == np.float32 for v in opt.state[w].values() if isinstance(v, np.ndarray))


@ALL
def test_gradients_are_read_and_never_written(name):
    grad = np.array([1.0, -2.0])
    grad.setflags(write=False)
    w = Tensor([1.0, 2.0], requires_grad=True)
    opt = getattr(optim, name)([w], lr=0.1, weight_decay=0.1)
    for _ in range(2):
        w.grad = grad
        opt.step()
    assert grad.tolist() == [1.0, -2.0]


@ALL
def test_a_parameter_without_gradient_stays(name):
    w = Tensor([1.0], requires_grad=True)
    getattr(optim, name)([w], lr=0.1, weight_decay=0.5).step()
    assert w.data[0] == 1.0


def test_a_step_between_forward_and_backward_is_noticed():
    w = Tensor([1.0], requires_grad=True)
    loss = (w * w).sum()
    w.grad = np.ones(1)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="new value"):
        loss.backward()


def test_a_gradient_of_another_shape_is_refused():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    w.grad = np.array([1.0])
    with pytest.raises(ValueError, match=r"w has shape \(2,\), and its gradient \(1,\)"):
        optim.SGD([w], lr=0.1).step()


def exchange(net):
    net.disconnect("x", "h")
    net.connect("y", "h")


@pytest.mark.parametrize("copied", [lambda pair: pair, copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@pytest.mark.parametrize(
    "rewire",
    [
        lambda net: net.connect("y", "h"),
        exchange,  # as many edges as before: the shapes tell nothing
        lambda net: net.unit("p", "prelu", inputs=["x"]),  # its slope is a parameter the optimiser was never given
    ],
)
@pytest.mark.parametrize("steps", [0, 1])
def test_a_network_rewired_needs_a_new_optimiser(rewire, steps, copied):
    net = nn.Network()
    net.input("x")
    net.input("y")
    net.unit("h", activation="tanh", inputs=["x"])
    net, opt = copied((net, optim.Adam(net.parameters())))

    def learn():
        opt.zero_grad()
        (net(np.ones((4, 2))) ** 2).sum().backward()
        opt.step()

    for _ in range(steps):
        learn()
    net, opt = copied((net, opt))
    learn()
    rewire(net)
    before = net.weight.data.copy()
    with pytest.raises(RuntimeError, match=r"weight.*Adam.*wired anew.*new optimiser"):
        learn()
    assert np.array_equal(net.weight.data, before)
    opt = optim.Adam(net.parameters())
    learn()
    assert not np.array_equal(net.weight.data, before)


@ALL
def test_a_frozen_parameter_stays_whatever_gradient_it_has(name):
    w = Tensor([1.0], requires_grad=True)
    opt = getattr(optim, name)([w], lr=0.1)
    w.grad = np.ones(1)
    w.requires_grad = False
    opt.step()
    assert w.data.tolist() == [1.0]
    w.requires_grad = True
    opt.step()
    assert w.data[0] < 1.0


# --- groups and options -----------------------------------------------------------------------------------------------


def two_groups():
    a, b = Tensor([1.0], requires_grad=True, name="a"), Tensor([1.0], requires_grad=True, name="b")
    return a, b, optim.SGD([{"params": [a], "lr": 0.5}, {"params": b}], lr=0.1, momentum=0.9)


def test_a_group_has_its_own_options_and_the_rest_from_the_optimiser():
    a, b, opt = two_groups()
    assert [(g["lr"], g["momentum"]) for g in opt.param_groups] == [(0.5, 0.9), (0.1, 0.9)]
    a.grad = b.grad = np.ones(1)
    opt.step()
    assert (a.data[0], b.data[0]) == (0.5, 0.9)


def test_lr_reads_and_sets_the_rate_of_all_groups():
    _, _, opt = two_groups()
    assert opt.lr == [0.5, 0.1]
    opt.lr = 0.2
    assert opt.lr == 0.2
    assert [g["lr"] for g in opt.param_groups] == [0.2, 0.2]
    opt.lr = [0.3, 0.4]
    assert opt.lr == [0.3, 0.4]
    with pytest.raises(ValueError, match="3 rates for 2 groups"):
        opt.lr = [0.3, 0.4, 0.5]
    with pytest.raises(ValueError, match="lr is a number of at least 0"):
        opt.lr = -1
    assert opt.lr == [0.3, 0.4]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("learning_rate", 0.1, "no option 'learning_rate'.*lr, momentum"), ("lr", "0.1", "lr is a number"),
        ("lr", float("nan"), "lr is a number"), ("nesterov", 1, "True or False"),
    ],
)  # fmt: skip
def test_an_option_written_wrongly_is_refused_before_anything_moves(name, value, message):
    a, b, opt = two_groups()
    opt.param_groups[0][name] = value
    a.grad = b.grad = np.ones(1)
    with pytest.raises(ValueError, match=message):
        opt.step()
    assert (a.data[0], b.data[0]) == (1.0, 1.0)


def test_an_option_changed_between_steps_holds_from_the_next_one():
    a, b, opt = two_groups()
    a.grad = b.grad = np.ones(1)
    opt.step()
    opt.param_groups[0]["momentum"] = 0.0
    opt.step()
    assert a.data[0] == 0.0  # 1 - 0.5 - 0.5
    assert b.data[0] == pytest.approx(1 - 0.1 - 0.1 * 1.9)


def test_a_group_can_be_added_later():
    w, v = Tensor([1.0], requires_grad=True), Value(1.0)
    opt = optim.SGD([w], lr=0.1)
    opt.add_param_group({"params": [v], "lr": 0.5})
    v.grad = 1.0
    opt.step()
    assert v.data == 0.5
    assert opt.params[1] is v


class Scaled(nn.Module):
    def __init__(self):
        self.inner = nn.MLP(2, [3, 1], "prelu", rng=0)
        self.bias_of_all = Tensor(0.0, requires_grad=True)
        self.slopes = [Tensor([0.1, 0.2], requires_grad=True)]
        self.gain = Tensor([1.0], requires_grad=True)


def test_decay_groups_exempts_biases_and_slopes():
    model = Scaled()
    path = {id(p): name for name, p in model.named_parameters()}
    decayed, free = ([path[id(p)] for p in g["params"]] for g in optim.decay_groups(model, 0.1))
    assert sorted(decayed) == ["gain", "inner.layers[0].weight", "inner.layers[1].weight"]
    assert len(decayed) + len(free) == len(path)
    assert {"inner.layers[0].bias", "bias_of_all", "slopes[0]"} < set(free)


def test_decay_groups_shrink_the_weights_of_a_network_and_no_bias():
    net = nn.Network()
    net.input("x")
    net.unit("h", activation="relu", inputs=["x"], bias=0.5)
    opt = optim.SGD(optim.decay_groups(net, 0.5), lr=0.1)
    before = net.weight.data.copy()
    for p in opt.params:
        p.grad = np.zeros(p.shape)
    opt.step()
    np.testing.assert_allclose(net.weight.data, before * 0.95)
    assert net.bias.data.tolist() == [0.5]


def test_weight_decay_by_groups_is_the_l2_penalty():
    X = np.random.default_rng(0).normal(size=(20, 2))
    after = []
    for in_loss in (True, False):
        model = Scaled()
        opt = optim.SGD(model.parameters() if in_loss else optim.decay_groups(model, 0.3), lr=0.1)
        loss = (model.inner(X) * model.gain + model.bias_of_all).sum()
        (loss + nn.l2_penalty(model, 0.3) if in_loss else loss).backward()
        opt.step()
        after.append([p.data for p in model.parameters()])
    for a, b in zip(*after, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def leaf():
    return Value(1.0)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: optim.SGD([]), ValueError, "model.parameters"),
        (lambda: optim.SGD([{"params": []}]), ValueError, "model.parameters"),
        (lambda: optim.SGD([Tensor([1.0])]), TypeError, "require a gradient"),
        (lambda: optim.SGD([np.ones(2)]), TypeError, "require a gradient"),
        (lambda: optim.SGD([leaf() * 2]), TypeError, "require a gradient"),
        (lambda: optim.SGD(leaf()), TypeError, "list of parameters"),
        (lambda: optim.SGD(nn.MLP(2, [1])), TypeError, r"model.parameters\(\), not MLP"),
        (lambda: optim.SGD({"params": [leaf()]}), TypeError, "list of parameters or of groups"),
        (lambda: optim.SGD([{"params": [leaf()]}, leaf()]), TypeError, "a group is a dict"),
        (lambda: optim.SGD([{"parameters": [leaf()]}]), TypeError, "a group is a dict"),
        (lambda: optim.SGD([{"params": [leaf()], "beta": 1}]), ValueError, "SGD has no option 'beta'.*lr, momentum"),
        (lambda: optim.SGD([leaf()] * 2), ValueError, "twice"),
        (lambda: optim.SGD([leaf()], lr=-1), ValueError, "lr is a number of at least 0"),
        (lambda: optim.SGD([leaf()], lr=True), ValueError, "lr is a number of at least 0"),
        (lambda: optim.SGD([leaf()], nesterov=True), ValueError, "momentum above 0"),
        (lambda: optim.SGD([leaf()], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "no dampening"),
        (lambda: optim.Adam([leaf()], betas=(1.0, 0.9)), ValueError, "betas"),
        (lambda: optim.Adam([leaf()], betas=0.9), ValueError, "betas is a pair"),
        (lambda: optim.RMSprop([leaf()], alpha=1.0), ValueError, "alpha"),
        (lambda: optim.Adagrad([leaf()], lr_decay=float("inf")), ValueError, "lr_decay"),
        (lambda: optim.decay_groups([leaf()], 0.1), TypeError, "takes a module"),
        (lambda: optim.decay_groups(nn.MLP(2, [1]), -0.1), ValueError, "weight_decay"),
    ],
)
def test_wrong_settings_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_the_same_parameter_in_two_groups_is_refused():
    w = leaf()
    with pytest.raises(ValueError, match="twice"):
        optim.SGD([{"params": [w]}, {"params": [w]}])


def test_an_optimiser_shows_its_options():
    _, _, opt = two_groups()
    assert repr(opt).startswith("SGD(lr=0.5, momentum=0.9, ")
    assert " | lr=0.1, " in repr(opt)


# --- saving and resuming ----------------------------------------------------------------------------------------------


def plain(tree):
    """Whether a tree is made of what a checkpoint can hold."""
    if isinstance(tree, dict):
        return all(isinstance(k, str) and plain(v) for k, v in tree.items())
    return all(map(plain, tree)) if isinstance(tree, list) else isinstance(tree, (int, float, str, np.ndarray))


@given(SETTINGS, st.integers(0, 2**31), st.integers(0, STEPS))
@settings(max_examples=60, deadline=None)
def test_a_reloaded_optimiser_continues_bit_for_bit(setting, seed, stop):
    name, options = setting
    values, grads = start(seed)
    whole = [*leaves(values), Value(0.7)]
    opt = getattr(optim, name)([{"params": whole[:2], "lr": 0.3}, {"params": whole[2:]}], **options)

    def go_on(opt, params, steps):
        for step in steps:
            for p, g in zip(params, [*step, 0.4], strict=True):
                p.grad = g
            opt.step()

    go_on(opt, whole, grads[:stop])
    saved = opt.state_dict()
    assert plain(saved)
    kept, at = copy.deepcopy(saved), [copy.copy(p.data) for p in whole]
    go_on(opt, whole, grads[stop:])
    resumed = [*leaves(at[:-1]), Value(at[-1])]
    new = getattr(optim, name)([{"params": resumed[:2]}, {"params": resumed[2:]}], lr=9.0)
    new.load_state_dict(saved)
    go_on(new, resumed, grads[stop:])
    for a, b in zip(whole, resumed, strict=True):
        assert np.array_equal(a.data, b.data)
    np.testing.assert_equal(saved, kept)  # neither of the two stepped on the saved arrays
    np.testing.assert_equal(new.state_dict(), opt.state_dict())


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda opt: pickle.loads(pickle.dumps(opt))])
def test_a_copy_steps_its_own_parameters(twin):
    w = Tensor([1.0], requires_grad=True)
    opt = optim.Adam([w], lr=0.1)
    w.grad = np.ones(1)
    opt.step()
    other = twin(opt)
    other.params[0].grad = np.ones(1)
    other.step()
    assert w.data[0] == pytest.approx(0.9)
    opt.step()
    assert other.params[0].data == w.data


def spoil(*path):
    *way, (last, value) = path

    def change(tree):
        for key in way:
            tree = tree[key]
        tree[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil(("class", "SGD")), "a state of SGD does not fit Adam"),
        (lambda tree: tree.pop("state"), "no state of an optimiser"),
        (spoil("state", (0, 7)), "no state of an optimiser"),
        (lambda tree: tree["param_groups"][0].pop("params"), "no state of an optimiser"),
        (lambda tree: tree["param_groups"].pop(), r"groups of \[1\] parameters.*groups of \[1, 1\]"),
        (lambda tree: tree["state"].pop(), "groups of"),
        (spoil("state", 1, ("exp_avg", np.ones(3))), r"parameter 1, b, 'exp_avg' has shape \(3,\).*\(2,\)"),
        (spoil("state", 1, ("exp_avg", np.ones(2, complex))), "not real numbers"),
        (spoil("state", 1, ("step", -1)), "'step' is a count"),
        (spoil("state", 1, ("velocity", np.ones(2))), "'velocity' is nothing that Adam remembers"),
        (lambda tree: tree["state"][1].pop("exp_avg_sq"), "'exp_avg_sq' is missing"),
        (spoil("param_groups", 1, ("lr", -1.0)), "lr is a number"),
        (spoil("param_groups", 1, ("rate", 0.1)), "no option 'rate'"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, message):
    a, b = Tensor([1.0], requires_grad=True, name="a"), Tensor([1.0, 2.0], requires_grad=True, name="b")
    opt = optim.Adam([{"params": [a]}, {"params": [b], "lr": 0.3}])
    a.grad, b.grad = np.ones(1), np.ones(2)
    opt.step()
    before = opt.state_dict()
    state = copy.deepcopy(before)
    state["param_groups"][0]["lr"] = 7.0
    state["state"][0]["exp_avg"] += 1
    change(state)
    with pytest.raises(ValueError, match=message):
        opt.load_state_dict(state)
    np.testing.assert_equal(opt.state_dict(), before)
