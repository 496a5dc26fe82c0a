"""What the course's notes claim, as experiments one can run: each function gives the numbers that a claim is about.

`python tests/claims/experiments.py` runs them all and writes what they found to docs/claims.md; the tests beside this
file say which of it must hold.
"""

import math
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import micrograd_nn as mg
from micrograd_nn import data, fit, nn, optim, unit_health
from micrograd_nn import functional as F

DOCS = Path(__file__).parents[2] / "docs" / "claims.md"


def digits():
    """1,438 handwritten digits to train on and 359 for the test."""
    X, X_test, y, y_test = data.train_test_split(*data.load_digits(), 0.2, rng=0)
    return X, y, X_test, y_test


# --- one neuron ------------------------------------------------------------------------------------------------------


def zigzag(examples, seed, n_in=6):
    """The gradient on a sigmoid neuron's weights over `examples` inputs that are all positive.

    The labels tell apart what lies on either side of a plane through the middle of the inputs.
    """
    rng = np.random.default_rng(seed)
    neuron = nn.Neuron(n_in, "sigmoid", rng=rng)
    X = rng.uniform(0.1, 1, (examples, n_in))
    y = ((X - 0.55) @ rng.normal(size=n_in) > 0) * 1.0
    F.mse_loss(neuron(X), y).backward()
    return neuron.weight.grad


def forgetting(strength, lr, steps, rng=0):
    """The length of a network's weights before each step, when there is nothing but the L2 penalty to learn from."""
    model = nn.MLP(3, [4, 2], rng=rng)
    opt = optim.SGD(model.parameters(), lr=lr)
    lengths = []
    for _ in range(steps):
        lengths.append(math.sqrt(sum(float((layer.weight.data**2).sum()) for layer in model.layers)))
        opt.zero_grad()
        nn.l2_penalty(model, strength).backward()
        opt.step()
    return np.array(lengths)


# --- activations -----------------------------------------------------------------------------------------------------


def dying(lr, activation, seed, epochs=10):
    """Share of the 200 hidden units that are dead on the training digits after training with rate `lr`."""
    X, y, X_test, y_test = digits()
    model = nn.MLP(64, [100, 100, 10], activation, rng=seed)
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
        history = fit(model, X, y, optimizer="sgd", lr=lr, epochs=epochs, rng=seed, progress=False)
        report = unit_health(model, X)
        dead = sum(int(layer.dead.sum()) for layer in report.layers)
        with mg.no_grad():
            right = mg.training.accuracy(model(X_test), y_test)
    return {"dead": dead / 200, "loss": history["loss"][-1] if len(history) else math.nan, "test_accuracy": right}


def saturating(scale, seed, activation="sigmoid", epochs=10, lr=1.0):
    """A network of sigmoids whose hidden weights start `scale` times as large as they should be."""
    X, y, X_test, y_test = digits()
    model = nn.MLP(64, [100, 100, 10], activation, rng=seed, scale=scale)
    model.layers[-1].weight.data = model.layers[-1].weight.data / scale
    before = unit_health(model, X)
    with threadpool_limits(1, "blas"):
        history = fit(model, X, y, optimizer="sgd", lr=lr, epochs=epochs, rng=seed, progress=False)
        with mg.no_grad():
            right = mg.training.accuracy(model(X_test), y_test)
    return {
        "saturated_units": float(np.mean([layer.saturated.mean() for layer in before.layers])),
        "saturated_activations": float(np.mean([layer.saturated_share.mean() for layer in before.layers])),
        "loss": history["loss"][-1], "test_accuracy": right,
    }  # fmt: skip


def steps_to(activation, lr, seed, loss=0.1, every=15, most=3000):
    """Steps of SGD until the loss on all training digits is below `loss`, looked at `every` so many steps."""
    X, y, _, _ = digits()
    model = nn.MLP(64, [100, 100, 10], activation, rng=seed)
    opt, rng, step = optim.SGD(model.parameters(), lr=lr), np.random.default_rng(seed), 0
    with threadpool_limits(1, "blas"):
        while step < most:
            for Xb, yb in data.batches(X, y, 32, rng):
                opt.zero_grad()
                F.cross_entropy(model(Xb), yb).backward()
                opt.step()
                step += 1
                if step % every == 0:
                    with mg.no_grad():
                        if F.cross_entropy(model(X), y).item() < loss:
                            return {"steps": step}
    return {"steps": math.inf}


# --- size and regularisation -----------------------------------------------------------------------------------------


def regions(hidden, strength, seed):
    """One hidden layer of tanh units on 60 points of two noisy moons; the test is 2,000 more."""
    X, y = data.make_moons(60, 0.35, rng=seed)
    X_test, y_test = data.make_moons(2000, 0.35, rng=10_000 + seed)
    model = nn.MLP(2, [hidden, 2], "tanh", rng=seed)
    with threadpool_limits(1, "blas"):
        for lr, epochs in ((0.02, 2000), (0.002, 1000)):
            fit(model, X, y, lr=lr, epochs=epochs, batch_size=60, l2=strength, rng=seed, progress=False)
        with mg.no_grad():
            return {
                "train_accuracy": mg.training.accuracy(model(X), y),
                "test_accuracy": mg.training.accuracy(model(X_test), y_test),
                "test_loss": F.cross_entropy(model(X_test), y_test).item(),
            }


def final_loss(hidden, seed, activation="relu"):
    """The training loss one hidden layer ends with on 100 points of two moons, from the weights that `seed` draws."""
    X, y = data.make_moons(100, 0.1, rng=0)
    model = nn.MLP(2, [hidden, 2], activation, rng=seed)
    with threadpool_limits(1, "blas"):
        fit(model, X, y, lr=0.02, epochs=1500, batch_size=100, rng=0, progress=False)
        with mg.no_grad():
            return {"loss": F.cross_entropy(model(X), y).item()}


# --- what a network can represent ------------------------------------------------------------------------------------


def bumps(f, low, high, count, steepness=60.0):
    """A network with one hidden layer that adds up `count` bumps, each a pair of sigmoids, one up and one down.

    Nothing is learned: each bump stands on its part of [low, high] and is as high as `f` in the middle of it.
    """
    edges = np.linspace(low, high, count + 1)
    k = steepness * count / (high - low)
    heights = f((edges[1:] + edges[:-1]) / 2)
    model = nn.MLP(1, [2 * count, 1], "sigmoid", rng=0)
    hidden, out = model.layers
    hidden.weight.data = np.full((2 * count, 1), k)
    hidden.bias.data = -k * np.concatenate([edges[:-1], edges[1:]])
    out.weight.data = np.concatenate([heights, -heights])[None, :]
    out.bias.data = np.zeros(1)
    return model


def bump_error(f, low, high, count, points=4000):
    """Root mean squared distance between `f` and its bumps."""
    x = np.linspace(low, high, points + 2)[1:-1, None]
    with mg.no_grad():
        found = bumps(f, low, high, count)(x).data
    return float(np.sqrt(np.mean((found - f(x)) ** 2)))


# --- all of them, as a page ------------------------------------------------------------------------------------------

DEAD_RUNS = [(a, lr) for lr in (0.1, 0.3, 1.0) for a in ("relu", "leaky_relu", "maxout")]
RATES = (0.03, 0.1, 0.2, 0.3, 0.5)


def mean(rows, what):
    return float(np.mean([row[what] for row in rows]))


def every(run, seeds, **setting):
    """The numbers that `run` gives for each seed."""
    result = mg.sweep(run, [setting], seeds=seeds, progress=False)
    if result.failed:
        raise RuntimeError(str(result.failed[0].error))
    return [row.values for row in result.rows]


def dead_units():
    """Rows of (activation, rate, dead share, test accuracy), means over 5 seeds."""
    for activation, lr in DEAD_RUNS:
        rows = every(dying, 5, lr=lr, activation=activation)
        yield activation, lr, mean(rows, "dead"), mean(rows, "test_accuracy")


def saturated_units():
    """Rows of (scale, saturated units, saturated activations, loss and test accuracy after 10 epochs)."""
    for scale in (1.0, 3.0, 200.0):
        rows = every(saturating, 5, scale=scale)
        yield scale, *(mean(rows, k) for k in ("saturated_units", "saturated_activations", "loss", "test_accuracy"))


def sizes_and_strengths():
    """Rows of (hidden, strength, train accuracy, its spread, test accuracy, its spread, test loss) over 20 seeds."""
    for hidden, strength in ((3, 0.0), (6, 0.0), (20, 0.0), (20, 0.001), (20, 0.01), (20, 0.1)):
        rows = every(regions, 20, hidden=hidden, strength=strength)
        train, test = (np.array([row[k] for row in rows]) for k in ("train_accuracy", "test_accuracy"))
        yield hidden, strength, train.mean(), train.std(ddof=1), test.mean(), test.std(ddof=1), mean(rows, "test_loss")


def spreads():
    """Rows of (hidden, mean, standard deviation, smallest and largest final loss) over 100 seeds."""
    for hidden in (3, 6, 20):
        loss = np.array([row["loss"] for row in every(final_loss, 100, hidden=hidden)])
        yield hidden, loss.mean(), loss.std(ddof=1), loss.min(), loss.max()


def races():
    """Rows of (activation, steps at each rate of RATES), means over 3 seeds."""
    for activation in ("relu", "tanh", "sigmoid"):
        yield activation, *(mean(every(steps_to, 3, activation=activation, lr=lr), "steps") for lr in RATES)


def wave(x):
    """A function to approximate."""
    return np.sin(3 * x) + 0.5 * np.cos(7 * x)


def table(head, rows):
    """A table of a page."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def page():
    """What every experiment found, in words and tables."""
    one_sign = sum(len(set(np.sign(zigzag(1, seed)))) == 1 for seed in range(200))
    mixed = sum(len(set(np.sign(zigzag(50, seed)))) == 2 for seed in range(200))
    lengths = forgetting(0.5, 0.1, 50)
    dead = [(a, lr, f"{share:.1%}", f"{right:.1%}") for a, lr, share, right in dead_units()]
    shut = [(f"{k:g}", f"{u:.0%}", f"{s:.0%}", f"{loss:.3f}", f"{right:.1%}")
            for k, u, s, loss, right in saturated_units()]  # fmt: skip
    fits = [(h, f"{k:g}", f"{a:.1%} ± {da:.1%}", f"{b:.1%} ± {db:.1%}", f"{loss:.2f}")
            for h, k, a, da, b, db, loss in sizes_and_strengths()]  # fmt: skip
    spread = [(h, *(f"{v:.2g}" for v in row)) for h, *row in spreads()]
    race = list(races())
    relu, tanh = (np.array(row[1:]) for row in race[:2])
    raced = [(a, *(f"{n:.0f}" if math.isfinite(n) else "over 3,000" for n in steps)) for a, *steps in race]
    error = [(n, f"{bump_error(wave, 0.0, 2.0, n):.4f}") for n in (10, 20, 40, 80)]
    return f"""# What the notes claim, tried out

A famous course's notes on setting up a network's architecture make claims that can be run. Here is what ours gave,
by `python tests/claims/experiments.py`; `tests/claims/test_claims.py` checks on every change that it stays so. Where
a run does not agree with the notes, it says so.

## One neuron

**If all inputs are positive, one example's gradients on a neuron's weights have one sign.** True for {one_sign} of
200 random sigmoid neurons. **Over a batch the signs can differ:** with 50 examples they did for {mixed} of 200, so the
zig-zag is softened and not gone.

**The regularisation loss alone makes weights forget.** With strength 0.5 and rate 0.1 each step leaves
{lengths[1] / lengths[0]:.4f} of the weights' length, and 50 steps {lengths[-1] / lengths[0]:.3f}.

## Activations

**ReLU units die when the learning rate is too high.** Digits, two hidden layers of 100, plain SGD, 10 epochs, means
over 5 seeds:

{table(("activation", "rate", "dead units", "test accuracy"), dead)}

As the notes say, leaky ReLU and Maxout have no dead units at any rate. What they do not say: that alone does not save
them. At the rate that kills ReLU units, leaky ReLU learns little and Maxout's loss runs away.

**Large initial weights saturate sigmoids, and the network barely learns.** Hidden weights multiplied before training,
SGD with rate 1, 10 epochs, means over 5 seeds:

{table(("scale", "units saturated", "activations saturated", "loss", "test accuracy"), shut)}

True at the large scale; but weights somewhat above the usual size learn faster than the usual, since a sigmoid's slope
is never above a quarter. And slower is not never: every run gets somewhere.

**ReLU converges much faster than tanh.** Steps of SGD until the loss on the training digits is under 0.1, means over 3
seeds:

{table(("activation", *(f"rate {r:g}" for r in RATES)), raced)}

Faster at every rate, by a factor of {(tanh / relu).min():.1f} to {(tanh / relu).max():.1f}, and not the 6 of the famous
figure, which was taken from a convolutional network on photographs. It is sigmoid that is far behind.

## Size and regularisation

**More units fit more; regularisation, not a small network, is the cure.** One hidden layer of tanh units on 60 points
of two noisy moons, tested on 2,000, mean and standard deviation over 20 seeds:

{table(("units", "L2 strength", "training accuracy", "test accuracy", "test loss"), fits)}

The 20 units fit all but every point and lose on the test. A little regularisation of the large network does better than
any small one: by less than the spread over seeds in accuracy, but its loss on the test is half as large. Too much of
it underfits.

**Small networks end at many different losses, large ones at few.** One hidden layer of ReLU units on 100 points of two
moons, over 100 seeds:

{table(("units", "mean loss", "standard deviation", "smallest", "largest"), spread)}

## What a network can represent

**A sum of bumps approximates any continuous function.** Pairs of sigmoids, nothing learned, for sin 3x + cos(7x)/2 on
[0, 2], root mean squared error:

{table(("bumps", "error"), error)}

Twice the bumps, half the error: it works, and it is a poor way to do it.
"""


if __name__ == "__main__":
    DOCS.write_text(page(), encoding="utf-8")
    print(f"written: {DOCS}")
