# %% [markdown]
# # 7. Is my backprop right?
#
# A backward pass is easy to get almost right. The loss falls all the same, only more
# slowly, or not as far, and nothing complains. Here we write one by hand in plain NumPy
# and let a checker compare it with the function itself. Then we break it in the ways
# everybody breaks it. At the end you can read what the checker says, use it on your own
# code, and say what it cannot see.

# %% [markdown]
# ## A slope without a rule
#
# A derivative says how much f(x) changes for a little change of x. So one can measure
# it: move x by a small step h, see how much f changed, and divide. That is a *forward
# difference*, (f(x + h) − f(x)) / h. It needs no rule, only calls of f, and that makes
# it a judge: it cannot have the mistake that your backward pass has.
#
# We try it on a function whose slope we know, e^(sin x), at x = 1, and count how many
# digits of the result are right. A longer row of marks is a better result.

# %%
from textwrap import fill

import numpy as np

import micrograd_nn as mg
import viz


def f(x):
    return np.exp(np.sin(x))


x = 1.0
true = np.cos(x) * np.exp(np.sin(x))  # by the chain rule
print(f"the true slope: {true:.15f}")


def digits_right(found):
    return int(-np.log10(max(abs(found - true) / true, 1e-16)))


# %% [markdown]
# **Predict.** We try h = 0.1, 0.01, and so on, each a tenth of the one before, down to
# 1e-15, which is a 1 at the fifteenth place behind the point. How does the number of
# right digits go from row to row?

# %%
forward_digits = {}
for k in range(1, 16):
    h = 10.0**-k
    found = (f(x + h) - f(x)) / h
    forward_digits[k] = digits_right(found)
    print(f"h = {h:<7g} {found:.12f}  {'#' * forward_digits[k]}")

best = max(forward_digits, key=forward_digits.get)
print(f"at best {forward_digits[best]} digits, at h = {10.0**-best:g}")
assert 7 <= best <= 9
assert forward_digits[15] < 3 < forward_digits[5]

# %% [markdown]
# First it gets better, a digit a row, and then worse again: smaller is not better
# without end. Two errors are at work. The curve bends between x and x + h; that error
# shrinks with h. And the computer keeps about sixteen digits of f. For a tiny h the two
# values of f have nearly all of them in common, and the subtraction leaves the few that
# differ. That error grows as h shrinks.
#
# A *central difference* looks to both sides: (f(x + h) − f(x − h)) / (2h). To the right
# the bend of the curve adds a little, to the left it takes a little away, and most of
# that cancels.
#
# **Predict.** At h = 0.001 the forward difference had 3 digits right. How many has the
# central one? And is its best step larger or smaller than before?

# %%
central_digits = {}
for k in range(1, 16):
    h = 10.0**-k
    central_digits[k] = digits_right((f(x + h) - f(x - h)) / (2 * h))
    marks = "#" * central_digits[k]
    print(f"h = {h:<7g} forward {forward_digits[k]:2}  central {marks}")

assert forward_digits[3] == 3
assert central_digits[3] == 6
best_central = max(central_digits, key=central_digits.get)
assert best_central in (5, 6)
print(f"at best {central_digits[best_central]} digits")

# %% [markdown]
# It has 6: twice as many, since its error shrinks with h², two digits a row. So it is
# at its best at a much larger step, where rounding has done less harm. Still, five or
# six of the sixteen digits are lost, and nobody tells you how many.
#
# `mg.numerical_gradient` does better on both counts. It takes central differences at
# several steps and combines them so that what h², h⁴ and h⁶ do to them cancels. And
# it gives an *error bar*: how far from the truth the result may be, estimated from how
# much f rounds and from how much the last correction changed.

# %%
slope = mg.numerical_gradient(f, x)
print(f"found {slope:.15f}")
print(f"true  {true:.15f}")
print("within its error bar:", bool(abs(slope - true) <= slope.error))
print("error bar under 1e-11:", bool(slope.error < 1e-11))
assert abs(slope - true) <= slope.error < 1e-11

# %% [markdown]
# ## A backward pass by hand
#
# Now something worth checking: a classifier with two layers, on six examples with three
# features and two classes. Weights are (out, in), as always here. `W1` is square, three
# by three, on purpose: you will see why.
#
# The forward pass gives the loss, and with it the *cache*: what the backward pass will
# need again.

# %%
rng = np.random.default_rng(6)
X, y = rng.normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0])
W1, b1 = rng.normal(size=(3, 3)), rng.normal(size=3)
W2, b2 = rng.normal(size=(2, 3)), rng.normal(size=2)
N = len(X)


def forward(X, W1, b1, W2, b2):
    z = X @ W1.T + b1
    hidden = np.maximum(0, z)
    scores = hidden @ W2.T + b2
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)  # softmax
    loss = -np.log(p[np.arange(N), y]).mean()  # cross-entropy
    return loss, (X, W1, W2, z, hidden, p)


loss, cache = forward(X, W1, b1, W2, b2)
print(f"loss {loss:.4f}")

# %% [markdown]
# Backward, from the loss to the front, in three kinds of step. Each takes the gradient
# on what the step gave, and returns the gradient on what it was given.
#
# - Softmax and cross-entropy together: p, less 1 at the right class, over N.
# - The affine step, x·Wᵀ + b: one product for x, one for W, and a sum over the examples
#   for b, which every example used.
# - ReLU: what was above 0 lets the gradient through, all else stops it.


# %%
def scores_step(g, p):
    d = p.copy()
    d[np.arange(N), y] -= 1
    return g * d / N


def affine_step(g, x, W):
    return g @ W, g.T @ x, g.sum(axis=0)


def relu_step(g, z):
    return g * (z > 0)


# %% [markdown]
# The whole pass puts them together. The three steps are arguments, so that we can hand
# in a broken one later without touching the rest. `g` is the gradient that comes in
# from outside; for a loss at the very end it is 1.
#
# `mg.check_backward` takes the two passes and the inputs. It moves each number of each
# input, and holds the slope that differences give against the one that the backward
# pass returned. When something is wrong it raises an error; we ask for its *report*
# instead.


# %%
def backward(g, cache, scores=scores_step, affine=affine_step, relu=relu_step):
    X, W1, W2, z, hidden, p = cache
    d_scores = scores(g, p)
    d_hidden, d_W2, d_b2 = affine(d_scores, hidden, W2)
    d_X, d_W1, d_b1 = affine(relu(d_hidden, z), X, W1)
    return d_X, d_W1, d_b1, d_W2, d_b2


def check(**steps):
    mine = lambda g, cache: backward(g, cache, **steps)
    inputs = X, W1, b1, W2, b2
    return mg.check_backward(forward, mine, *inputs, raise_on_error=False)


report = check()
print(report.headline)
print("entries:", " + ".join(str(array.size) for array in (X, W1, b1, W2, b2)))
for row in report.rows[::9]:
    name = f"{row.input}{list(row.index)}"
    print(f"{name:9} {row.analytic:9.6f}, by differences {row.numeric:9.6f}")
assert len(report.rows) == report.coordinates == 38

# %% [markdown]
# All is right, and "38 entries" means every single number: 18 of X, 9 of W1, 3 of b1, 6
# of W2 and 2 of b2. We print every ninth. An entry is *wrong* when its two slopes are
# further apart than a small tolerance and the error bar of the differences together.

# %% [markdown]
# ## Break it
#
# A report of a failure tells more, so let us make some. The most frequent fault of all:
# the loss is a mean, and the backward pass forgets to divide by N.
#
# **Predict.** N is 6. How many of the 38 entries will be wrong, and by what factor?


# %%
def no_mean(g, p):
    d = p.copy()
    d[np.arange(N), y] -= 1
    return g * d


report = check(scores=no_mean)
print(report.headline)
for row in report.worst(3):
    name = f"{row.input}{list(row.index)}"
    print(f"{name:9} {row.analytic:9.6f}, by differences {row.numeric:9.6f}")
print(fill(report.diagnosis, 76))
assert report.cause == "missing 1/N"
assert report.count("wrong") == 38

# %% [markdown]
# All of them: the fault is in the first step of the way back, and every gradient comes
# through it. Each is 6 times too large. The *diagnosis*, the last sentence, looks at all
# wrong entries together: one factor everywhere, and it is the number of examples.
# (`print(report)` shows all this as a table, with error bars.) With this fault a network
# still learns, as if its learning rate were 6 times larger.
#
# The next one. We forget that ReLU stops the gradient where it was off, and hand on
# everything.
#
# **Predict.** Of X, W1, b1, W2 and b2: which get a wrong gradient, and which are right?


# %%
def wrong_entries(report):
    for name in ("X", "W1", "b1", "W2", "b2"):
        verdicts = [row.verdict for row in report.rows if row.input == name]
        print(f"{name:3} {verdicts.count('wrong'):2} of {len(verdicts):2} wrong")


report = check(relu=lambda g, z: g)
wrong_entries(report)
print(report.diagnosis)
print("examples with all units on:", (cache[3] > 0).all(axis=1).sum())
assert {row.input for row in report.rows if row.verdict == "wrong"} == {"X", "W1", "b1"}

# %% [markdown]
# W2 and b2 get theirs before the way back comes to the ReLU: they are right. So a look
# at *which* inputs are wrong tells where the fault is: behind the last one that is
# right. (Three entries of X are right by luck: they belong to the one example for which
# every unit was on.)
#
# To be sure, check the suspect alone. A report can be drawn: here is one of the
# hidden layer by itself, with the same fault.


# %%
def hidden_layer(x, W, b):
    return np.maximum(0, x @ W.T + b)


def hidden_layer_backward(g, x, W, b):
    return affine_step(g, x, W)  # no ReLU on the way back


pair = hidden_layer, hidden_layer_backward
report = mg.check_backward(*pair, X, W1, b1, raise_on_error=False)
assert report.cause == "activation derivative"
viz.draw(report, direction="TB", gradients=False, title="A hidden layer, ReLU forgotten")

# %% [markdown]
# A cross and a thick frame mark an input whose gradient is wrong, and say where it is
# worst: what was returned, and what differences say. Here they are on all three.
#
# Now a transposed product. The gradient of W is gᵀ·x; we write xᵀ·g.
#
# **Predict.** W2 is 2 by 3, W1 is 3 by 3. For which of the two would you have noticed
# this without a checker? How many of the 9 entries of W1 are wrong?


# %%
def turned(g, x, W):
    return g @ W, x.T @ g, g.sum(axis=0)


report = check(affine=turned)
print(fill(report.problems[0], 76))
wrong_entries(report)
assert report.cause == "transposed"
assert report.count("wrong") == 6

# %% [markdown]
# The gradient of W2 comes out 3 by 2, so an update W2 − rate·gradient would stop with an
# error. That is a *broken contract*: a promise of every backward pass, here that a
# gradient has the shape of what it belongs to. The entries of W2 are not even compared.
#
# But W1 is square. Nothing stops: its diagonal stays in place, and the other 6 weights go
# astray. A check of shapes is no check of gradients. (When you choose inputs for a
# check, let no two sizes be the same: then such faults show.)
#
# Four more faults, a line each. Read the line, say what is wrong with it, and compare
# with the cause that the report names.

# %%
faults = {
    "scores: -": {"scores": lambda g, p: -scores_step(g, p)},
    "scores: no g": {"scores": lambda g, p: scores_step(1.0, p)},
    "affine: g": {"affine": lambda g, x, W: (g @ W, g.T @ x, g)},
    "affine: mean": {"affine": lambda g, x, W: (g @ W, g.T @ x, g.mean(axis=0))},
}
for name, steps in faults.items():
    report = check(**steps)
    print(f"{name:13} {report.cause}")
    assert not report.ok

# %% [markdown]
# The sign is turned, and the loss would climb. The incoming gradient is not used, which
# goes unnoticed until somebody halves the loss or adds two of them. The bias gradient is
# not summed over the examples that share the bias, which its shape tells (*broadcast*);
# and in the last line it is averaged, which divides by N a second time.
#
# A *residual* step adds its input to what it computes from it: x + tanh(x·w). So x is
# used twice.
#
# **Predict.** The 9 entries of w are right. How many of the 18 of x are wrong?


# %%
def residual(x, w):
    return x + np.tanh(x @ w)


def residual_backward(g, x, w):
    d = g * (1 - np.tanh(x @ w) ** 2)
    d_x = g
    d_x = d @ w.T
    return d_x, x.T @ d


pair = residual, residual_backward
report = mg.check_backward(*pair, X, W1, raise_on_error=False)
print(report.headline)
print(fill(report.diagnosis, 76))
assert report.cause == "overwritten"
assert report.count("wrong") == 18
viz.draw(report, direction="TB", gradients=False, title="A second use of x, and = for +=")

# %% [markdown]
# Every one. Two arrows leave x in the picture: two uses, and two gradients to add up.
# The second assignment throws away what the first one stored, where `+=` would add. This
# is the `a + a` of tutorial 1 once more.
#
# The last one: a step that centres each feature, x − mean. The mean is a number, one may
# think, the slope of x minus a number is 1, and so the gradient goes through unchanged.
#
# **Predict.** What is wrong with that?


# %%
def centre(x):
    return x - x.mean(axis=0)


report = mg.check_backward(centre, lambda g, x: g, X, raise_on_error=False)
print(fill(report.diagnosis, 76))
assert report.cause == "constant"

print(mg.check_backward(centre, lambda g, x: g - g.mean(axis=0), X).headline)

# %% [markdown]
# To move one entry moves the mean, and with it every row of that column. The mean is
# computed from x, so a path leads back through it: the gradient g less its own mean is
# right. To forget a path like this is called to *detach* it, and batch normalisation,
# which centres and scales in the midst of a network, is where it happens most.

# %% [markdown]
# ## Kinks
#
# ReLU has a corner at 0: slope 0 on the left, 1 on the right. *At* 0 it has no slope.
# Code still has to return something, and `z > 0` returns 0.
#
# **Predict.** We check ReLU at −1, 0 and 2. Will the entry at 0 pass or fail?


# %%
def relu_sum(x):
    return np.maximum(0, x).sum()


def relu_sum_backward(g, x):
    return g * (x > 0)


points = np.array([-1.0, 0.0, 2.0])
pair = relu_sum, relu_sum_backward
report = mg.check_backward(*pair, points, raise_on_error=False)
for row in report.rows:
    print(f"x = {points[row.index]:4.1f}  {row.verdict}")
print(fill(report.rows[1].note, 76))
assert [row.verdict for row in report.rows] == ["ok", "not differentiable", "ok"]
assert not report.ok

# %% [markdown]
# Neither. It gets a verdict of its own, "not differentiable", for there is no right
# answer to compare with. The checker measures the slope from either side and says both.
# The report as a whole is no pass, and you have two ways out:
#
# - **Move the point.** A kink is met by accident, and inputs drawn at random miss it.
# - **Allow it**, with `allow_kinks=True`.
#
# **Predict.** We move the points by 0.1: does the check pass? And with kinks allowed,
# which of the three answers 0, 0.5 and 3 at the kink will pass?

# %%
moved = mg.check_backward(*pair, points + 0.1)
print("moved by 0.1:", "passes" if moved else "fails")

options = {"cache": False, "allow_kinks": True, "raise_on_error": False}
passes = {}
for answer in (0.0, 0.5, 3.0):
    answering = lambda g, x, at=answer: g * np.where(x == 0, at, x > 0)
    report = mg.check_backward(relu_sum, answering, points, **options)
    passes[answer] = report.ok
    print(f"{answer} at the kink: {'passes' if report else 'fails'}")
assert passes == {0.0: True, 0.5: True, 3.0: False}
viz.draw_activations("relu", title="The slope of ReLU jumps at 0")

# %% [markdown]
# The dashed line is the slope: 0 on the left, where it lies upon the curve, and 1 on the
# right. An answer passes if it lies between the two, for there no value is more right
# than another: 0 and 0.5 do. An answer of 3 is refused.
#
# Zero is not as rare as one thinks. Biases start at 0, and an input that is 0 in all
# its features then puts every unit of the first layer exactly on its corner.

# %% [markdown]
# ## Whose rule is wrong?
#
# So far the backward passes were ours. In this library they come from rules, one for
# each operation, and an operation of your own needs a rule from you: `mg.Op`. Here is
# *swish*, z·σ(z), with a rule that takes σ(z) for a constant. Its arguments are the
# incoming gradient, the result, and the input.
#
# `mg.gradcheck` checks a function of nodes, or a whole model with all its parameters.
# We give it a network with two layers, the first of them with swish.
#
# **Predict.** Most of its gradients will be wrong. Can one find out from outside which
# of its operations is to blame?


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def swish_and_tanh(x):
    return swish(x).tanh()


swish = mg.Op("swish", lambda z: z * sigmoid(z), lambda g, out, z: g * sigmoid(z))
model = mg.nn.MLP(3, [3, 2], swish, rng=0)
report = mg.gradcheck(model, X, raise_on_error=False)
blame = report.blame
print(f"{report.count('wrong')} of {report.coordinates} entries wrong")
print(f"to blame: {blame.op}, in {blame.module}; after it, all right: {blame.after}")
assert (blame.op, blame.module) == ("swish", "layers[0]")

report = mg.gradcheck(swish_and_tanh, X[:2], raise_on_error=False)
viz.draw(report, direction="TB", title="A wrong rule, and one that is right")

# %% [markdown]
# It names `swish`, in the first layer. The trick: take the numbers of this very run, and
# ask each operation by itself whether its rule agrees with differences of its own
# values. What others do wrong does not count against it.
#
# The picture is of a smaller case, tanh after swish. The thick frame and the cross are
# on the wrong rule, and on the edge into it stands what it returned and what is right.
# The check mark is on tanh, which was asked and is right.

# %% [markdown]
# ## Derivatives of derivatives
#
# A rule written with ordinary operators can be fed nodes, and then the backward pass is
# a graph itself, which can be differentiated again. `mg.grad(f)` is the derivative of f
# as a function; so `mg.grad(mg.grad(f))` is the second one.

# %%
first = mg.grad(f)
second = mg.grad(first)
print(f"slope {first(1.0):.6f}, slope of the slope {second(1.0):.6f}")

by_differences = mg.numerical_gradient(first, 1.0)
print(f"differences of the slope:   {by_differences:.6f}")
assert abs(second(1.0) - by_differences) < 1e-9

at = mg.Value(1.0, name="x")
viz.draw(mg.grad(lambda x: x * np.sin(x))(at), title="The slope of x·sin x, as a graph")

# %% [markdown]
# The graph of the slope of x·sin x shows the product rule at work: the upper branches
# are cos x times x, the lower one is sin x, and they add up. (The constant 1 is where
# the way back started; `identity` hands x in.) This graph has a way back of its own.
#
# With `order=2` the checker compares second derivatives too. Below is swish with its
# right rule, g·(σ + z·σ·(1 − σ)), both halves of the product. And once more, computed
# from `z.detach()`, the plain value of z without its past.
#
# **Predict.** Which of the two pass at order 1, and which at order 2?


# %%
def rule(g, out, z):
    s = sigmoid(z)
    return g * (s + z * s * (1 - s))


def detached_rule(g, out, z):
    return rule(g, out, z.detach() if isinstance(z, mg.Tensor) else z)


verdicts = []
for name, written in (("right", rule), ("detached", detached_rule)):
    op = mg.Op(f"swish_{name}", lambda z: z * sigmoid(z), written)
    for order in (1, 2):
        report = mg.gradcheck(op, points, order=order, raise_on_error=False)
        verdicts.append(report.ok)
        print(f"{name:8} rule, order {order}: {'ok' if report else 'wrong'}")
assert verdicts == [True, True, True, False]
print(f"returned for a second derivative: {report.worst(1)[0].analytic}")

# %% [markdown]
# The detached rule gives the right first derivative, so it passes at order 1. But what
# it gives has forgotten that it came from z, so its own derivative is 0. Most training
# needs no second derivatives; where yours does, check them.

# %% [markdown]
# ## What no check can see
#
# A check belongs in a test, so that it runs again whenever the code changes. In pytest
# there is a fixture for it, `gradcheck`: `gradcheck.backward(forward, backward, *inputs)`
# for a pair, `gradcheck(f, *inputs)` for a function of nodes or a model. On the command
# line `micrograd-nn check FILE` finds pairs in a file by their names, such as `scale`,
# `scale_backward` and `scale_inputs`.
#
# All of this compares a backward pass with *its own forward pass*. What follows?
#
# **Predict.** First, a loss with its minus forgotten, in both passes alike. Second, a
# ReLU whose backward pass looks at x·Wᵀ and forgets the bias; all biases are 0, as in
# every fresh network. Which of the two passes the check?


# %%
def gain(p):
    return np.log(p).mean()  # a loss would be minus this


p = np.array([0.2, 0.7, 0.9])
report = mg.check_backward(gain, lambda g, p: g / p / 3, p)
print("the minus forgotten:", "passes" if report else "fails")


def no_bias(g, x, W, b):
    return affine_step(g * (x @ W.T > 0), x, W)


found = {}
for name, b in (("biases 0", np.zeros(3)), ("biases not 0", np.array([2.0, -2.0, 1.0]))):
    report = mg.check_backward(hidden_layer, no_bias, X, W1, b, raise_on_error=False)
    found[name] = report.ok
    print(f"{name}:", "passes" if report else f"{report.count('wrong')} entries wrong")
assert found == {"biases 0": True, "biases not 0": False}

# %% [markdown]
# Both pass. The first has the right gradient of the wrong function: training will drive
# the probabilities down, as it was told to. The second is wrong, but not *here*: with
# biases of 0 it never matters. With others it is found.
#
# So draw the inputs at random, let biases be other than 0, give ReLU both signs, make
# all sizes differ, and try more than one seed. And whether the function is the one you
# meant is for you to know.

# %% [markdown]
# ## What you have seen
#
# - A slope from differences has two errors: one shrinks with the step, one grows. Central
#   differences at several steps, combined, give most of the digits and an error bar.
# - `mg.check_backward` holds a hand-written backward pass against them, entry by entry,
#   and says what the errors look like.
# - Which inputs are wrong tells where the fault is: they are all behind it.
# - At a kink there is no right answer: move the point, or allow what lies between.
# - `mg.gradcheck` checks models and operations, names the one to blame, and goes to
#   second derivatives.
# - No such check knows whether the forward pass is what you meant.
#
# A network whose gradients are all right can still stop learning. In tutorial 8 units
# die, and we look at why their gradient is 0 for ever.

# %% [markdown]
# ## Exercises
#
# 1. A central difference: write the numerical gradient of any function of an array.
# 2. The backward pass of a hidden layer with leaky ReLU, checked against its forward
#    pass.
# 3. A tester's eye: three backward passes, one of them right; find inputs that show the
#    faults of the other two.
# 4. The backward pass of a step that standardises each feature, (x − mean) / std. Three
#    paths lead back to x.
#
# Copy them with `micrograd-nn tutorial 7 --exercises DIR` (in a copy of the project they
# are in `tutorials/exercises/`), fill the holes in `exercise_07.py`, and ask
# `pytest -m tutorial_7` how you did.
