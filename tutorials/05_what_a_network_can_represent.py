# %% [markdown]
# # 5. What a network can represent
#
# A network *represents* a function if there are weights with which it computes it, or
# comes as near to it as we like. That leaves open whether anybody can find them. Here
# we first set weights by hand and see that a single hidden layer is enough for any
# continuous function. Then we let networks learn, and see why that fact alone says so
# little.

# %% [markdown]
# ## A step
#
# A sigmoid unit with one input computes σ(w·x + b). We write it as σ(k·(x − a)): the
# weight is k, and the bias is −k·a. The output is one half at x = a, where the unit
# *stands*, and k says how steeply it climbs there.

# %%
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F
import viz


def step(x, a, k):
    return F.sigmoid(k * (x - a))


half = np.log(9)
print(f"k = 1: from {step(-half, 0, 1):.2f} to {step(half, 0, 1):.2f}", end=" ")
print(f"over a width of {2 * half:.2f}")

# %% [markdown]
# With k = 1 the climb from 0.1 to 0.9 takes a width of 4.39. (σ(z) is 0.9 where z is
# log 9, as one finds by solving 1/(1 + e^−z) = 0.9.)
#
# **Predict.** How wide is the same climb with k = 20?

# %%
top = (1 + np.sqrt(1 - 0.06)) / 2  # σ where its slope is 0.06 of the largest
print(" k   width   saturated beyond")
for k in (1, 4, 20):
    half, flat = np.log(9) / k, np.log(top / (1 - top)) / k
    assert round(step(half, 0, k), 9) == 0.9
    print(f"{k:2}   {2 * half:5.2f}   ±{flat:.2f}")

curves = {f"σ({k}·x)": lambda x, k=k: step(x, 0, k) for k in (1, 4, 20)}
viz.draw_functions(curves, -6, 6, title="A steeper and steeper sigmoid")

# %% [markdown]
# A twentieth: 0.22. Multiplying the input squeezes the curve together from both sides.
# On this axis σ(20·x) is a *step*: 0 on the left of a, 1 on the right.
#
# The last column of the table is the price. Beyond it the unit is saturated, its slope
# is almost 0, and the steeper the step, the more of the axis lies beyond. This will
# matter later.

# %% [markdown]
# ## Two steps make a bump
#
# **Predict.** Take a step that stands at −2 and subtract one that stands at 2. What is
# left at x = −4, at 0 and at 4?


# %%
def bump(x, a, b, k):
    return step(x, a, k) - step(x, b, k)


for x in (-4.0, 0.0, 4.0):
    print(f"x = {x:4}: {bump(x, -2, 2, 4):.3f}")

pair = {
    "their sum": lambda x: bump(x, -2, 2, 4),
    "step up at −2": lambda x: step(x, -2, 4),
    "step down at 2": lambda x: -step(x, 2, 4),
}
viz.draw_functions(pair, -6, 6, title="Two steps make a bump")

# %% [markdown]
# Nothing, one, and nothing. On the left both steps are 0, on the right both are 1 and
# cancel; only between them one is on and the other still off. (In the picture the second
# step has its minus sign already.)
#
# So two sigmoid units make a *bump*. As k grows it becomes the *indicator* of an
# interval, written 1[a < x < b]: 1 if x lies between a and b, and 0 otherwise.

# %% [markdown]
# ## Bumps add up to a function
#
# Here is a function to imitate on the interval from −3 to 3. We put n bumps side by
# side and make each as high as the function is in the bump's middle: a sum of terms
# c·1[a < x < b]. (Together they cover a little more than the interval, so that their
# row ends outside of it.) The *error* is the root of the mean squared distance.


# %%
def wave(x):
    return np.sin(2 * x) + 0.5 * np.cos(3 * x)


def places(n):
    edges = np.linspace(-3.2, 3.2, n + 1)
    left, right = edges[:-1], edges[1:]
    return left, right, wave((left + right) / 2), 60 / (right[0] - left[0])


def bumps(x, n):
    left, right, height, k = places(n)
    return sum(c * bump(x, a, b, k) for a, b, c in zip(left, right, height))


x = np.linspace(-3, 3, 997)
error = {n: np.sqrt(np.mean((bumps(x, n) - wave(x)) ** 2)) for n in (10, 20)}
print(f"10 bumps: error {error[10]:.3f}")

# %% [markdown]
# **Predict.** What is the error with 20 bumps, and with 160?

# %%
error = {}
for n in (10, 20, 40, 80, 160):
    error[n] = np.sqrt(np.mean((bumps(x, n) - wave(x)) ** 2))
    ratio = f"{error[n] / error[n // 2]:.2f} of it" if n > 10 else ""
    print(f"{n:3} bumps: error {error[n]:.4f}   {ratio}")
assert all(0.45 < error[2 * n] / error[n] < 0.55 for n in (10, 20, 40, 80))

# %% [markdown]
# Twice the bumps, half the error, every time. A bump is flat, and the function is not:
# within one bump it moves away from the middle by about its slope times half the bump's
# width. Half the width leaves half the distance.

# %% [markdown]
# Now as a picture, with the function itself wide and pale behind (in a terminal, dots).
#
# **Predict.** Where will ten bumps be furthest off: where the function turns, or where
# it is steep? And which of 10, 20 and 40 bumps stay within 0.3 of it everywhere?

# %%
for n in (10, 20, 40):
    print(f"{n} bumps: at most {abs(bumps(x, n) - wave(x)).max():.2f} off")
assert abs(bumps(x, 40) - wave(x)).max() < 0.3 < abs(bumps(x, 20) - wave(x)).max()
sums = {"the function": wave}
sums |= {f"{n} bumps": lambda x, n=n: bumps(x, n) for n in (10, 40)}
viz.draw_functions(sums, -3, 3, title="Sums of bumps")

# %% [markdown]
# Only the 40. The largest gaps are where the function is steep: there a flat piece is
# wrong at both of its ends. Where the function turns, even ten bumps do well.

# %% [markdown]
# ## The same, as a network
#
# Each bump is two sigmoid units, and the sum with its heights c is what an output unit
# without an activation computes. So the whole is a network with one hidden layer.
#
# **Predict.** Three bumps: how many hidden units is that, and how many parameters
# (weights and biases)?


# %%
def by_hand(n):
    left, right, height, k = places(n)
    model = mg.nn.MLP(1, [2 * n, 1], "sigmoid", rng=0)
    hidden, out = model.layers
    hidden.weight.data = np.full((2 * n, 1), k)
    hidden.bias.data = -k * np.r_[left, right]
    out.weight.data = np.r_[height, -height][None, :]
    out.bias.data = np.zeros(1)
    return model


column = x[:, None]
for n in (3, 40):
    model = by_hand(n)
    off = abs(model(column).data[:, 0] - bumps(x, n)).max()
    print(f"{n:2} bumps: {model.summary().parameters:3} parameters,", end=" ")
    print("the sum to 12 digits" if off < 1e-12 else f"off by {off}")
viz.draw_network(by_hand(3), title="Three bumps: nothing was learned")

# %% [markdown]
# Six units, and 19 parameters: 6 weights and 6 biases in the hidden layer, 6 weights
# and a bias in the output. With n bumps it is 6·n + 1.
#
# In the picture all six units have the same large weight on x: they are equally steep.
# They differ in their biases, that is, in where they stand. Units 0 to 2 step up and 3
# to 5 step down. On the right each height stands twice, once with either sign: follow
# units 0 and 3, which are one bump.

# %% [markdown]
# ## Universal approximation, exactly
#
# What we did for one function can be done for any continuous one. *Universal
# approximation* says: **given** a function that is continuous on a closed and bounded
# interval, and any tolerance above 0, **there are** a number of hidden units and
# weights with which a network of one hidden layer of sigmoids and a linear output stays
# **everywhere** on that interval within the tolerance. It holds for several inputs too
# (on a closed and bounded set), and for every continuous activation that is no
# polynomial.
#
# Our bumps show why, for one input: make them narrow and steep enough. How narrow? We
# double their number until they stay within the tolerance at each of our 997 points.

# %%
# Sigmoids: Cybenko 1989. All but polynomials: Leshno, Lin, Pinkus, Schocken 1993.
print("tolerance   bumps   parameters")
for tolerance in (0.5, 0.1, 0.02):
    n = 1
    while abs(bumps(x, n) - wave(x)).max() >= tolerance:
        n = 2 * n
    print(f"{tolerance:9}   {n:5}   {6 * n + 1:10,}")

# %% [markdown]
# A smaller tolerance, more bumps; but whatever tolerance you name, there is a number
# that will do. Now read what the theorem leaves out: how many units it takes, how to
# find the weights, and what happens anywhere else.
#
# **Predict.** What does the network of 40 bumps say at x = 5?

# %%
far = by_hand(40)(np.array([[5.0]])).item()
print(f"function {wave(5.0):.2f}, network {abs(far):.2f}")
assert abs(far) < 1e-9
beyond = {"the function": wave, "40 bumps": by_hand(40)}
viz.draw_functions(beyond, -4, 6, title="Beyond the interval")

# %% [markdown]
# It says 0, and the function −0.92. No bump stands there, and nothing was promised.

# %% [markdown]
# ## Power says little
#
# One hidden layer can represent every continuous function, and so can a sum of bumps.
# Yet nobody predicts anything with sums of bumps. The notes draw the conclusion: power
# alone says little. What counts is whether smooth functions fit into *few* parameters,
# and whether the weights can be *learned*.

# %% [markdown]
# Five bumps are a network with 10 hidden units and 31 parameters. Let us take a second
# network with 10 hidden units, tanh this time, and let it learn from 100 points. (tanh
# is a stretched sigmoid, so both kinds represent exactly the same functions.) `mg.fit`
# uses *Adam* here, an optimiser that finds a step size for each parameter, and lets all
# steps become smaller towards the end, along a cosine.
#
# **Predict.** The bumps have an error of about 0.6. What will the learned network have?

# %%
X = np.linspace(-3, 3, 100)[:, None]


def error_of(model):
    return np.sqrt(np.mean((model(column).data - wave(column)) ** 2))


def learn(model):
    mg.fit(model, X, wave(X), loss="mse_loss", lr=0.05, schedule="cosine",
           epochs=1000, batch_size=100, rng=0, progress=False)  # fmt: skip
    return model


learned = learn(mg.nn.MLP(1, [10, 1], "tanh", rng=0))
for name, model in {"5 bumps": by_hand(5), "learned": learned}.items():
    print(f"{name}: {model.summary().parameters} parameters,", end=" ")
    print(f"error {error_of(model):.2f}")
assert round(error_of(by_hand(5)), 1) == 0.6
assert error_of(learned) < error_of(by_hand(5)) / 8
both = {"the function": wave, "5 bumps": by_hand(5), "learned": learned}
viz.draw_functions(both, -3, 3, title="31 parameters each")

# %% [markdown]
# Less than an eighth of it. The bumps spend their parameters on corners that the
# function does not have. Slow sigmoids are smooth to begin with, and each one bends the
# curve over a long stretch, so a few of them go far.
#
# **Predict.** How many parameters do the bumps need to be as good as these 31?

# %%
n = 5
while error_of(by_hand(n)) > error_of(learned):
    n = n + 5
print(f"{n} bumps, {by_hand(n).summary().parameters} parameters")
assert by_hand(n).summary().parameters > 10 * 31

# %% [markdown]
# More than ten times as many. That was the first half, *few parameters*. Now the second
# half, *learned*. The five bumps have the same form as a network that learns well.
#
# **Predict.** We let the five bumps learn too, starting from their weights, with the
# same data and as many steps. Do they end as good as the other network? And if we begin
# with bumps in the same places, but an eighth as steep?


# %%
def saturated(model):
    return mg.unit_health(model, X).layers[0].saturated_share.mean()


after = {}
print("steepness   saturated   error before   after")
for part in (1, 8):
    started = by_hand(5)
    hidden = started.layers[0]
    for parameter in (hidden.weight, hidden.bias):
        parameter.data = parameter.data / part
    print(f"1/{part}         {saturated(started):9.0%}", end="   ")
    print(f"{error_of(started):12.2f}", end="   ")
    after[part] = error_of(learn(started))
    print(f"{after[part]:5.2f}")
print(f"the other network, when it has learned: {saturated(learned):.0%} saturated")
assert after[1] > 2 * error_of(learned)
assert after[8] < after[1] / 3

# %% [markdown]
# The steep ones improve, and end with more than 2 times the error of the network that
# began with random weights. A step is flat nearly everywhere, so nearly all activations
# are saturated, and hardly any gradient tells a step where it should stand. The gentle
# ones begin hardly better, and end with less than a third of the steep ones' error. So
# better weights exist for this very network, and where it begins decides whether gradient
# descent gets there.

# %% [markdown]
# There is a less extreme case. Sigmoid and tanh units represent exactly the same functions.
#
# **Predict.** Two networks with 10 hidden units that both start from small random
# weights, one of sigmoids and one of tanh. Do they learn equally well?

# %%
mean = {}
for activation in ("tanh", "sigmoid"):
    models = [learn(mg.nn.MLP(1, [10, 1], activation, rng=seed)) for seed in range(3)]
    errors = [error_of(model) for model in models]
    mean[activation] = np.mean(errors)
    print(f"{activation:8}", "  ".join(f"{e:.3f}" for e in errors))
assert mean["tanh"] < 0.7 * mean["sigmoid"]

# %% [markdown]
# They do not. Each number is a network with random weights of its own. The tanh
# networks end close together, and the sigmoid networks further off on average, some of
# them much further. Equal power, unequal learning: tutorial 2 told what holds sigmoids
# back.

# %% [markdown]
# ## Two layers or three
#
# If one hidden layer is enough for all these functions, why use more? The notes say: in
# practice 3 layers often beat 2, while 4, 5 or 6 rarely help much more. (Layers are
# counted without the input, so 2 layers have one hidden layer.) We try it up to 5, on
# two spirals, with networks of almost the same number of parameters.

# %%
X, y = mg.data.make_spirals(100, 0.03, classes=2, turns=1.0, rng=0)
X_test, y_test = mg.data.make_spirals(1000, 0.03, classes=2, turns=1.0, rng=1)
sizes = {2: [32, 2], 3: [10, 10, 2], 4: [7, 8, 7, 2], 5: [6, 6, 6, 6, 2]}


def spirals(layers, activation, seed):
    model = mg.nn.MLP(2, sizes[layers], activation, rng=seed)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        F.cross_entropy(model(X), y).backward()
        optimizer.step()
    return model


for layers in sizes:
    count = mg.nn.MLP(2, sizes[layers], rng=0).summary().parameters
    print(f"{layers} layers, {sizes[layers]}: {count} parameters")

# %% [markdown]
# Each is trained five times, from different random weights, once with tanh units and
# once with ReLU. `mg.sweep` calls our function for each combination and collects what
# it returns. (We hand it a pool of one thread, since the runs are short. Without a pool
# it uses all cores.) Behind the mean we print the *standard deviation* over the five,
# which says by how much the runs differ among themselves.
#
# **Predict.** Which number of layers is best on new points, and by how much?


# %%
def run(layers, activation, seed):
    model = spirals(layers, activation, seed)
    _, accuracy = mg.training.evaluate(model, "cross_entropy", X_test, y_test)
    return {"accuracy": accuracy}


settings = {"activation": ["tanh", "relu"], "layers": [2, 3, 4, 5]}
with ThreadPoolExecutor(1) as pool:
    result = mg.sweep(run, settings, pool, seeds=5, progress=False)
print("units  layers   test accuracy")
found = {}
for group in result.group():
    kind, layers = group.setting["activation"], group.setting["layers"]
    found[kind, layers] = group.values["accuracy"]
    spread = found[kind, layers]
    print(f"{kind:5}  {layers:6}   {spread.mean:.1%} ± {spread.std:.1%}")
assert found["tanh", 3].mean > found["tanh", 2].mean
assert abs(found["relu", 3].mean - found["relu", 2].mean) < 0.02
for (kind, layers), spread in found.items():
    assert spread.mean < found[kind, 3].mean + 0.01
    assert layers < 4 or spread.std > found[kind, 3].std

# %% [markdown]
# With tanh units, three layers are a little better than two, by more than the runs
# differ among themselves. With ReLU units the two are closer still. Four and five
# layers are no better than three with either kind, and their runs differ more. So the
# notes are right about the order; but the step from 2 to 3 is a small one here, and a
# reader with other points or another learning rate may not find it at all.
#
# Look at what the networks make of the plane.

# %%
drawn = {f"{layers} layers": spirals(layers, "tanh", 0) for layers in (2, 3, 5)}
viz.draw_boundary(drawn, X, y, title="Two spirals, about 160 parameters each")

# %% [markdown]
# All of them wind around. They differ in the centre and in the empty space, where each
# fills in what it was not told. The notes add that it is otherwise in convolutional
# networks, where depth does count. We do not try that here.

# %% [markdown]
# ## What you have seen
#
# - A steep sigmoid is a step, two steps are a bump, and bumps add up to any continuous
#   function: twice the bumps, half the error.
# - That is a network with one hidden layer. Universal approximation says that such
#   weights exist, not how many it takes nor how to find them.
# - With the same number of parameters, a network that learned beats the bumps by far;
#   and the bumps, saturated as they are, learn badly.
# - On two spirals, 3 layers beat 2 by little, and 4 or 5 add nothing.
#
# How many units one should take, and what to do when there are too many, is the subject
# of tutorial 6.

# %% [markdown]
# ## Exercises
#
# 1. How steep must a step be, so that it climbs within a given width?
# 2. A bump of three ReLU units: a tent.
# 3. A network of ReLU units, set by hand, that goes through any points you give it and
#    straight on between them. For twice the points its error is a quarter.
#
# Copy them with `micrograd-nn tutorial 5 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_05.py`, and ask
# `pytest -m tutorial_5` how you did.
