# %% [markdown]
# # 8. Dead and saturated units
#
# All gradients are right, the loss falls, and still most of a network may have stopped
# learning, because no gradient gets to it. The notes name two reasons: units that
# *die* and units that *saturate*. Here you cause both, see them, and try the cures, also
# where they do not help. At the end you can read the health report of any network.

# %% [markdown]
# ## What the words mean
#
# We begin with four ReLU units and one input, small enough to work out by hand. The
# examples are nine numbers from −2 to 2. The *on-rate* of a unit is the share of the
# examples for which its activation is above 0. A unit is *dead* on these examples if it
# is never above 0 on any of them.
#
# **Predict.** The units compute max(0, x), max(0, −x), max(0, x − 10) and max(0, x/100).
# What are their on-rates? Which is dead?

# %%
import numpy as np

import micrograd_nn as mg
import viz

x = np.linspace(-2, 2, 9).reshape(9, 1)
small = mg.nn.MLP(1, [4, 1], "relu", rng=0)
small.layers[0].weight.data = np.array([[1.0], [-1.0], [1.0], [0.01]])
small.layers[0].bias.data = np.array([0.0, 0.0, -10.0, 0.0])


def table(model, x):
    layer = mg.unit_health(model, x).layers[0]
    print(f"on {len(x)} examples:  on-rate  dead   dormant")
    for k in range(len(layer)):
        on, dead, dormant = layer.on_rate[k], layer.dead[k], layer.dormant[k]
        print(f"unit {k}             {on:5.0%}  {dead!s:5}  {dormant!s:5}")


table(small, x)
report = mg.unit_health(small, x)
assert report.faint == 0.025
viz.draw_health(report, title="Four units")

# %% [markdown]
# Four of the nine numbers are above 0, so three units have the same on-rate. Unit 2 is
# dead. Unit 3 is on as often as unit 0, but it hardly says anything: its mean activation
# is less than 0.025 times that of its layer. That is called *dormant*; a dead unit is
# dormant too. In the picture a cell is a unit, its shade the on-rate; a dead
# one is hatched and crossed, one that is only dormant has a ring.
#
# **Predict.** Now the same four units on two other sets: only the numbers below 0, and
# then the nine numbers with a tenth one, 20. Which units are dead on each?

# %%
table(small, x[x < 0].reshape(-1, 1))
print()
table(small, np.append(x, [[20.0]], axis=0))

# %% [markdown]
# "Dead" is always said of some data. On the negative numbers alone, units 0, 2 and 3
# are never on, and the example 20 wakes unit 2 up. So we say "dead on these 9 examples".
# Off for a single batch is *inactive*, as in tutorial 2: that happens to healthy units
# all the time. Before you call a unit dead, look at all the data you have.

# %% [markdown]
# ## A learning rate that kills
#
# The data are three spiral arms, 300 points. The network has two hidden layers with 32
# ReLU units each, and learns by plain stochastic gradient descent, on batches of 32.

# %%
X, y = mg.data.make_spirals(300, rng=0)


def train(rate, activation="relu", seed=0, scale=1.0, **more):
    model = mg.nn.MLP(2, [32, 32, 3], activation, rng=seed, scale=scale)
    options = {"optimizer": "sgd", "lr": rate, "epochs": 60, "rng": seed}
    return model, mg.fit(model, X, y, progress=False, **options, **more)


def dead_units(model):
    report = mg.unit_health(model, X)
    return [int(layer.dead.sum()) for layer in report.layers]


untrained = mg.nn.MLP(2, [32, 32, 3], rng=0)
print("before training, dead in each layer:", dead_units(untrained))
assert dead_units(untrained)[0] == 0

# %% [markdown]
# At random weights nearly all of them are alive.
#
# **Predict.** A rate of 0.3 suits this problem. We also try 1.4 and 3. What will the
# loss do at the larger rates, and how many of the 64 units are dead in the end?

# %%
runs, shares, seeds = {}, {}, range(3)
print("rate  dead in both layers, 3 runs     of all  loss  accuracy")
for rate in (0.3, 1.4, 3.0):
    runs[rate] = [train(rate, seed=seed) for seed in seeds]
    counts = [dead_units(model) for model, _ in runs[rate]]
    shares[rate] = np.sum(counts) / (64 * 3)
    loss = np.mean([history["loss"][-1] for _, history in runs[rate]])
    right = np.mean([history["accuracy"][-1] for _, history in runs[rate]])
    print(f"{rate:4}  {counts!s:32} {shares[rate]:4.0%}  {loss:4.2f}  {right:8.0%}")
highest = [max(history["loss"]) for done in runs.values() for _, history in done]
assert max(highest) < 5
assert shares[0.3] < 0.1
assert abs(shares[1.4] - 0.40) < 0.15
assert shares[3.0] > 0.6

# %% [markdown]
# At 0.3 hardly any unit dies. At 1.4 it is more than a quarter of all, near the figure
# that the notes warn of: as much as 40 % of a network can be dead when the learning rate
# is too high. It goes on from there: at 3 most of the units are dead, and the accuracy
# is hardly better than guessing one of three arms. The loss does not blow up in any of
# these runs, not even for an epoch. It stays higher, and does not say why.

# %%
models = {f"rate {rate}": runs[rate][0][0] for rate in runs}
viz.draw_boundary(models, X, y, title="What the three rates make of the plane")

# %% [markdown]
# At the rate 0.3 the three arms are there. At 1.4 the borders are few and coarse: not
# many units are left to bend them. At 3 there is hardly a border at all: with nearly all
# units dead the network gives nearly every point one answer.

# %% [markdown]
# ## When do they die?
#
# A `HealthMonitor`, handed to `fit` as a callback, looks at the units at the end of
# every epoch and keeps its reports in the history.
#
# **Predict.** At the rate 1.4: do units die steadily over the 60 epochs, or in a few
# bad moments?

# %%
monitor = mg.health.HealthMonitor(X=X)
sick, lifetimes = train(1.4, callbacks=[monitor])
first_dead = np.array([report.layers[0].dead for report in lifetimes.health])
second_dead = np.array([report.layers[1].dead for report in lifetimes.health])
assert (first_dead[1:] >= first_dead[:-1]).all()  # nobody comes back
assert (second_dead[1:] < second_dead[:-1]).any()  # somebody does
viz.draw_health(lifetimes, title="Rate 1.4: when units died")

# %% [markdown]
# In the picture each row is a unit, time runs to the right, and the shade is
# the on-rate. Hatching begins where a unit is dead; a thin line is a dormant one. In the
# first layer it goes in stairs: for many epochs nothing, and then several within an
# epoch or two. One step that is too long throws them off the data, and no row ever comes
# back. In the second layer units die and return. Why is there a difference? Let us look
# at one.

# %% [markdown]
# ## Why a dead unit stays dead
#
# We take one of the dead units of the first layer, and ask for the gradient on its two
# weights and its bias, for each of the 300 examples by itself.
#
# **Predict.** For how many of the 300 are these three numbers not all 0?

# %%
first = mg.unit_health(sick, X).layers[0]
k, alive = np.flatnonzero(first.dead)[0], first.on_rate.argmax()


def examples_that_move(unit):
    count = 0
    for i in range(len(X)):
        loss = mg.functional.cross_entropy(sick(X[i : i + 1]), y[i : i + 1])
        found = mg.gradients(loss)
        layer = sick.layers[0]
        count += bool(found[layer.weight][unit].any() or found[layer.bias][unit])
    return count


print(f"a dead unit: {examples_that_move(k)} of {len(X)}")
print(f"a live unit: {examples_that_move(alive)} of {len(X)}")
assert examples_that_move(k) == 0 < examples_that_move(alive)

# %% [markdown]
# For none: the gradient is exactly 0, not merely small. Here is that very unit on one
# of the examples, number by number.

# %%
first_weights = sick.layers[0].weight.data
w1, w2 = (mg.Value(w, name=f"w{i}") for i, w in enumerate(first_weights[k], start=1))
x1, x2 = (mg.Value(v, name=f"x{i}") for i, v in enumerate(X[0], start=1))
bias = mg.Value(sick.layers[0].bias.data[k], name="b")
out = (w1 * x1 + w2 * x2 + bias).relu()
out.name = "out"
out.backward()
assert not any(leaf.grad for leaf in (w1, w2, bias))
viz.draw(out, direction="TB", title="A dead unit, on one example")

# %% [markdown]
# Its sum is below 0, so ReLU gives 0, and the local derivative of ReLU there is 0. The
# edge is dashed: nothing comes back along it. Whatever the loss wants, this unit is not
# told, so its weights do not move. Its inputs are the data, and they do not move either.
# So at the next step it has the same sums.

# %% [markdown]
# For ever, the notes say. We keep the sick network and train it on, at a healthy rate
# of 0.1.
#
# **Predict.** How many dead units of the first layer come back? And of the second one?

# %%
before = [layer.dead for layer in mg.unit_health(sick, X).layers]
more = {"optimizer": "sgd", "lr": 0.1, "epochs": 100, "rng": 0, "progress": False}
cured = mg.fit(sick, X, y, **more)
after = [layer.dead for layer in mg.unit_health(sick, X).layers]

for name, was, now in zip(("first", "second"), before, after):
    back, new = np.sum(was & ~now), np.sum(~was & now)
    print(f"{name:6} layer: {was.sum():2} were dead, {back} came back, {new} died")
print(f"accuracy {lifetimes['accuracy'][-1]:.0%}, then {cured['accuracy'][-1]:.0%}")
assert not np.any(before[0] & ~after[0])
assert cured["accuracy"][-1] > lifetimes["accuracy"][-1]

# %% [markdown]
# In the first layer none. In the second layer death is not final, as the picture above
# has shown: its inputs are the activations of the first layer, which goes on learning,
# and they can move back to where a dead unit is on. So the notes' "for ever" is exact
# where the inputs stay as they are. And the network as a whole learns better again, with
# the units that are left.

# %% [markdown]
# ## Cures, tried out
#
# The notes advise: mind the learning rate; and if dead units worry you, try leaky ReLU
# or Maxout. Neither has the slope 0 on all examples, so its gradient never stops, and
# such a unit is not called dead.
#
# **Predict.** At the rates 1.4 and 3, with leaky ReLU or Maxout: how well does the
# network learn the spirals?

# %%
print("             rate  dead  accuracy, mean of 3 runs")
results, deaths = {}, {}
for activation in ("relu", "leaky_relu", "maxout"):
    for rate in (0.3, 1.4, 3.0):
        done = runs[rate]
        if activation != "relu":
            done = [train(rate, activation, seed) for seed in seeds]
        dead = np.mean([dead_units(model) for model, _ in done]) / 32
        deaths[activation, rate] = dead
        right = np.mean([history["accuracy"][-1] for _, history in done])
        results[activation, rate] = right
        print(f"{activation:11} {rate:5} {dead:5.0%}  {right:8.0%}")

assert all(dead == 0 for (kind, _), dead in deaths.items() if kind != "relu")
for activation in ("relu", "leaky_relu", "maxout"):
    assert results[activation, 3.0] < 0.6 < 0.85 < results[activation, 0.3]

# %% [markdown]
# No leaky unit and no Maxout unit is dead, at any rate: so far the notes are right. What
# they do not say: at the rate that kills ReLU units, these learn badly too, because the
# steps are too long for any of them. A dead unit is a symptom. Counting it is useful;
# taking it away leaves the cause. (On handwritten digits it goes the same way:
# `docs/claims.md` in the project has that table.)
#
# At 0.3 all three learn well. The cure that works is the first, a lower rate.
#
# **Predict.** Would smaller initial weights have saved the ReLU units at 1.4?

# %%
died = []
for scale in (0.5, 0.25):
    models = [train(1.4, seed=seed, scale=scale)[0] for seed in seeds]
    died.append(np.mean([dead_units(model) for model in models]) / 32)
    print(f"initial weights x {scale:4}: {died[-1]:4.0%} dead")
assert min(died) > 0.1

# %% [markdown]
# No: a good share dies from every start. What kills is a step during training, and one
# long step is enough, wherever it began. Initial weights do matter, as the next part
# shows, for another reason.

# %% [markdown]
# ## Saturation
#
# A sigmoid has no side where it is 0, but both its tails are flat. A unit is *saturated
# on an example* if its slope there is under 6 % of its largest slope; for a sigmoid that
# means an output below 0.015 or above 0.985. A *unit* is saturated if that holds for at
# least 95 % of the examples.
#
# The notes: too large initial weights saturate most of the neurons, and the network
# barely learns. We try it on handwritten digits, and multiply the weights that two hidden
# layers start with.

# %%
digits, labels = mg.data.load_digits()


def sigmoid_network(scale, seed=0):
    model = mg.nn.MLP(64, [32, 32, 10], "sigmoid", rng=seed, scale=scale)
    last = model.layers[-1]
    last.weight.data = last.weight.data / scale  # only the hidden ones are enlarged
    return model


edge = (1 - np.sqrt(1 - 0.06)) / 2  # where the slope σ·(1 − σ) is 0.06 of 1/4
print(f"a sigmoid is saturated below {edge:.3f} and above {1 - edge:.3f}")
print("scale  layer      saturated: units  activations")
for scale in (30.0, 200.0):
    report = mg.unit_health(sigmoid_network(scale), digits)
    assert (report.flat, report.often) == (0.06, 0.95)
    for layer in report.layers:
        units, share = layer.saturated.mean(), layer.saturated_share.mean()
        print(f"{scale:5.0f}  {layer.name}  {units:16.0%}  {share:11.0%}")
        assert share > 0.7
        assert (units > 0.5) == (scale == 200.0)
viz.draw_activations(sigmoid_network(30.0), digits, title="Weights 30 times as large")

# %% [markdown]
# The picture shows, for each hidden layer, the sigmoid, and below it where the sums z of
# its units lie, over all examples. Most lie on the dotted ground, where the curve is
# flat. (Hatched, on the far right, σ(z) is rounded to 1 and the slope to 0.) Fewer units
# than activations are saturated, as a unit has to be out there on nearly every example:
# that holds for most of them only when the weights are 200 times as large.
#
# **Predict.** We train with the scales 1, 3, 30 and 200. Which one learns best?

# %%
accuracy = {}
print("scale  saturated  mean |gradient| on W1  accuracy after 10 epochs")
for scale in (1.0, 3.0, 30.0, 200.0):
    model = sigmoid_network(scale)
    report = mg.unit_health(model, digits, labels)
    share = np.mean([layer.saturated_share.mean() for layer in report.layers])
    flow = {g.name: g.mean_abs for g in report.gradients}["layers[0].weight"]
    options = {"optimizer": "sgd", "lr": 1.0, "epochs": 10, "rng": 0, "progress": False}
    history = mg.fit(model, digits, labels, **options)
    accuracy[scale] = history["accuracy"][-1]
    print(f"{scale:5.0f} {share:10.0%}  {flow:21.5f}  {accuracy[scale]:8.1%}")

assert accuracy[3.0] > accuracy[1.0] > accuracy[30.0] > accuracy[200.0] > 0.4

# %% [markdown]
# At 30 and 200 it is as the notes say: less gradient arrives, for weights that are many
# times larger, and learning is poor. It is not nothing, though: even at 200 the last
# layer learns from what the hidden units happen to say.
#
# And the usual scale is not the best. With weights 3 times as large the network
# learns *faster*. The slope of a sigmoid is never above 1/4, so at the usual scale each
# layer passes on less than it gets; somewhat larger weights make up for that.

# %% [markdown]
# ## Vanishing gradients
#
# The factor of 1/4 is paid at each layer. So let us build a network with eight hidden
# layers, and look at the gradient on the weights of each.
#
# **Predict.** From the last layer to the first, by what factor does the gradient of the
# sigmoid network shrink? And with ReLU?

# %%
first_over_last = {}
for activation in ("sigmoid", "tanh", "relu"):
    deep = mg.nn.MLP(64, [32] * 8 + [10], activation, rng=0)
    report = mg.unit_health(deep, digits[:500], labels[:500])
    sizes = [g for g in report.gradients if g.name.endswith("weight")]
    print(f"{activation:8}", *(f"{g.mean_abs:.0e}" for g in sizes), sizes[0].verdict)
    first_over_last[activation] = sizes[0].mean_abs / sizes[-1].mean_abs
    print(f"{'':8} the first over the last: {first_over_last[activation]:.1g}")
    assert all((g.verdict == "vanishing") == (g.mean_abs < 1e-7) for g in sizes)
assert 1e-6 < first_over_last["sigmoid"] < 1e-5
assert min(first_over_last["tanh"], first_over_last["relu"]) > 0.25

# %% [markdown]
# Read each row from right to left; the verdict is on the first layer. With sigmoids each
# layer loses most of what arrives, and over eight layers a few millionths are left.
# Where the mean is below 1e-07 the report calls it *vanishing*. Tanh has the slope 1 at
# 0, and ReLU wherever it is on: there a good part of the gradient comes through. (One
# reason more for the notes' advice: ReLU first, tanh perhaps, the sigmoid never.)

# %% [markdown]
# ## What to watch
#
# One more measure tells whether the rate suits the weights. The *update ratio* of a
# parameter compares one step with what it changes: the standard deviation of the change
# over that of the weights. It is given as log10, so −3 is a thousandth; near that is
# healthy. The monitor takes the change that the optimiser really made.
#
# **Predict.** The rate 1.4 is nearly five times 0.3. Does the ratio say so?

# %%
_, healthy = train(0.3, callbacks=[mg.health.HealthMonitor(X=X)])
print("update ratio of the last layer's weights, log10, healthy near -3")
print("epoch  rate 0.3  rate 1.4")
for epoch in (0, 4, 9, 29, 59):
    ratios = [h.health[epoch].updates["layers[2].weight"] for h in (healthy, lifetimes)]
    print(f"{epoch + 1:5} {ratios[0]:9.1f} {ratios[1]:9.1f}")


def early(history):
    ratios = [report.updates["layers[2].weight"] for report in history.health[:20]]
    return np.mean(ratios)


assert early(healthy) < early(lifetimes)

# %% [markdown]
# Most of the time: the higher rate takes larger steps for its weights. Both runs are on
# the fast side of −3; a problem as small as this can afford that, up to a point. Where a
# ratio is far off on either side, the report of the monitor says so.
#
# You need not remember all these numbers. `print(mg.unit_health(model, X, y))` has them
# all, with the thresholds, and says at the end what is wrong and what to try. With labels
# y it looks at the gradients too: on the activations of each layer, and on each weight
# and bias. Here is the worst network of today.
#
# **Predict.** It was trained with rate 3. On which of its weights and biases is the
# gradient not 0?

# %%
worst = max((model for model, _ in runs[3.0]), key=lambda model: sum(dead_units(model)))
report = mg.unit_health(worst, X, y)
print("dead in each layer:", dead_units(worst))
for g in report.gradients:
    if g.kind == "parameter":
        print(f"{g.name:16}  zeros {g.zeros:4.0%}  {g.verdict}")
assert not report.ok
viz.draw_health(report, title="The network trained with rate 3")

# %% [markdown]
# Where a whole layer is dead, no gradient gets through it to the layers before. And the
# weights after it get none either: each is multiplied by an input, and the inputs are 0.
# Only the bias at the very end can still learn. What is 0 everywhere has the verdict
# "vanishing" as well.
#
# The picture has the units above and the gradients below, and then the advice. That on
# the dead units comes first here, as the gradient vanishes because of them: lower the
# rate, and start again.
#
# On the command line every run is looked at in this way. `micrograd-nn train --data
# spirals --layers 32,32 --lr 0.1` trains, and prints the report of the units at its
# end; `micrograd-nn health runs/spirals-1` measures a saved run again, with its
# gradients; `micrograd-nn draw runs/spirals-1 --as lifetimes` draws when units died.

# %% [markdown]
# ## What you have seen
#
# - Dead is a unit that is never on *for the data you name*; off for one batch is inactive.
# - Too high a learning rate kills units, in single long steps, while the loss looks
#   tame. Count them while you train.
# - A dead unit has a gradient of exactly 0 for every example. In the first layer that is
#   for ever; further up a unit may come back.
# - Leaky ReLU and Maxout do not die, and learn badly all the same where the rate is too
#   high.
# - Saturated units pass on little gradient. Too large initial weights cause it; somewhat
#   larger weights than usual can help a sigmoid.
# - Through many sigmoid layers gradients vanish, through ReLU they need not.
#
# In tutorial 9 all of this is put to work on a real data set, from loading it to a
# test accuracy you can trust.

# %% [markdown]
# ## Exercises
#
# 1. Count for yourself: on-rates and dead units from an array of activations.
# 2. Which tanh units are saturated, by the definition above?
# 3. From the reports of a monitor: in which epoch did each unit die for good?
# 4. Wake the dead: give dead units of the first layer new weights, so that they are on
#    for half the examples, without changing what the network says.
#
# Copy them with `micrograd-nn tutorial 8 --exercises DIR` (in a copy of the project they
# are in `tutorials/exercises/`), fill the holes in `exercise_08.py`, and ask
# `pytest -m tutorial_8` how you did.
