# %% [markdown]
# # 2. Activation functions
#
# A neuron adds up its weighted inputs and sends the sum z through a curve, its
# activation. The curve decides how well the neuron learns, and more by its slope than
# by its shape. At the end you can say of each of six curves what can go wrong with it,
# and which one you would take.

# %% [markdown]
# ## Shape and slope
#
# Why a curve at all? Neurons that only add up weighted inputs can be joined as one
# likes: the result is again a weighted sum of the inputs (tutorial 4 shows it). What
# makes a network more than one neuron is the bend.
#
# But on the way back, every gradient that passes through a neuron is multiplied by the
# slope f′(z) at the place where the neuron stands. So we look at both.
#
# **Predict.** The *sigmoid* σ(z) is 1/(1 + e^−z). Its slope is σ·(1 − σ), as tutorial 1
# found. Where is that largest, and how large?

# %%
import math
import timeit

import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F
import viz

names = ["sigmoid", "tanh", "relu", "leaky_relu"]
viz.draw_activations(names, title="Four activations; slopes dashed")

# %% [markdown]
# At z = 0, where it is 0.25: of two factors that add up to 1 the product is largest
# when both are one half. The other three curves are *tanh*, a relative of the sigmoid
# that runs from −1 to 1; *ReLU*, which is z where z is positive and else 0; and *leaky
# ReLU*, which is z where z is positive and else 0.01·z. Dots and hatching mark where a
# slope is small or zero; we come to that. First the slopes in numbers.

# %%
functions = [F.sigmoid, F.tanh, F.relu, F.leaky_relu]
print("     z" + "".join(f"{name:>12}" for name in names))
for z in (-6.0, -2.0, 0.0, 2.0, 6.0):
    slopes = [mg.grad(function)(z) for function in functions]
    print(f"{z:6.1f}" + "".join(f"{slope:12.4f}" for slope in slopes))

z = np.linspace(-10.0, 10.0, 2001)
assert np.all((F.sigmoid(z) > 0) & (F.sigmoid(z) < 1))
assert math.isclose(max(F.sigmoid(z) * (1 - F.sigmoid(z))), 0.25)

# %% [markdown]
# At z = 6 the sigmoid has a hundredth of its largest slope left, 0.0025 of 0.25, and
# tanh nothing in four decimals. So a sigmoid lets at most a quarter of a gradient
# through and tanh at most all of it, both only near the middle; ReLU lets through all
# or nothing. (At their corner, z = 0, the last two are given the slope of the left.)

# %% [markdown]
# ## The sigmoid, and what saturation does
#
# Three sigmoids in a row, each fed by the one before.
#
# **Predict.** The gradient starts with 1 at the last of them. Will more than a
# hundredth of it arrive at x? More than a tenth?

# %%
x = mg.Value(0.0, name="x")
h = x
for k in (1, 2, 3):
    h = h.sigmoid()
    h.name = f"h{k}"
h.backward()
print(f"gradient of x: {x.grad:.4f}")
assert 0.01 < x.grad < 0.25**3
viz.draw(h, direction="TB", title="Three sigmoids in a row")

# %% [markdown]
# 0.0134: a little more than a hundredth, although each of the three stands near the
# steepest part of its curve. Each further one takes at least three quarters away. The
# weights in between could make up for that, but only if they are large, and then:
#
# **Predict.** A sigmoid neuron stands at z = 0, another at z = 8. The same gradient
# comes back to both. How many times more of it gets through the first?

# %%
slope = mg.grad(F.sigmoid)
ratio = slope(0.0) / slope(8.0)
print(f"at 0: {slope(0.0):.4f}   at 8: {slope(8.0):.6f}")
print(f"{ratio:.0f} times")
assert ratio > 700

# %% [markdown]
# More than 700 times. At z = 8 the curve is flat: the neuron is *saturated*. It answers
# almost 1, also when its weights change a little, and next to nothing of the gradient
# gets through, to its own weights and to all that lies behind it. The same happens at
# the other end.
#
# In these tutorials saturated has one exact meaning: the slope is below 0.06 of the
# curve's largest. Where that begins for a sigmoid, a quadratic equation tells.

# %%
output = (1 + math.sqrt(1 - 0.06)) / 2  # for σ·(1 − σ) = 0.06·0.25
edge = math.log(output / (1 - output))
print(f"at z = {edge:.3f}, where the output is {F.sigmoid(edge):.3f}")
assert math.isclose(slope(edge), 0.06 * slope(0.0))

# %% [markdown]
# So a sigmoid is saturated where its output is over 0.985, or as close to 0: where z is
# more than 4.169 to either side of 0. In the first picture these zones are marked.
# Tutorial 8 shows what becomes of a network that is full of such neurons.

# %% [markdown]
# The notes also say that the exponential is costly. We time both curves on a hundred
# thousand numbers.

# %%
z = np.random.default_rng(0).normal(size=100_000)


def seconds(function):
    return min(timeit.repeat(function, number=10, repeat=5))


sigmoid_time = seconds(lambda: 1.0 / (1.0 + np.exp(-z)))
relu_time = seconds(lambda: np.maximum(z, 0.0))
assert sigmoid_time > 2 * relu_time
print("the sigmoid takes more than 2 times as long as ReLU")

# %% [markdown]
# So it is costly. In a network this is only a part of the work, though, as the products
# of weights and inputs take time too.

# %% [markdown]
# ## Positive inputs, and the zig-zag
#
# The outputs of sigmoids are all positive, and they are the inputs of the neurons that
# come next. So take a neuron with six positive inputs, and one example.
#
# **Predict.** Six weights, drawn at random. How will the signs of their six gradients
# be mixed?

# %%
rng = np.random.default_rng(0)
X = rng.uniform(0.1, 1.0, (50, 6))
y = ((X - 0.55) @ rng.normal(size=6) > 0) * 1.0

neuron = mg.nn.Neuron(6, "sigmoid", rng=0)
F.mse_loss(neuron(X[:1]), y[:1]).backward()  # the mean squared distance
print("signs:", np.sign(neuron.weight.grad).astype(int))
assert len(set(np.sign(neuron.weight.grad))) == 1
title = "Inputs all positive"
viz.draw_network(neuron, X[:1], y[:1], edges="gradient", title=title)

# %% [markdown]
# Not at all: they are all the same. In the picture each edge is the gradient of a
# weight: its input times what comes back to z. What comes back is one number, the same
# for all six, and the inputs are positive, so its sign is the sign of all.
#
# Is that so for every neuron? And what if the gradient is summed over many examples, as
# it is in training?
#
# **Predict.** Of 200 random neurons, each with 50 examples of positive inputs: for how
# many do all six gradients still have one sign?


# %%
def one_sign(examples, seed):
    rng = np.random.default_rng(seed)
    neuron = mg.nn.Neuron(6, "sigmoid", rng=rng)
    X = rng.uniform(0.1, 1.0, (examples, 6))
    y = ((X - 0.55) @ rng.normal(size=6) > 0) * 1.0
    F.mse_loss(neuron(X), y).backward()
    return len(set(np.sign(neuron.weight.grad))) == 1


counts = {n: sum(one_sign(n, seed) for seed in range(200)) for n in (1, 50)}
for n, count in counts.items():
    print(f"{n:2} examples: one sign for {count} of 200 neurons")
assert counts[1] == 200
assert 70 < counts[50] < 140

# %% [markdown]
# With one example it is a law: 200 of 200. With 50 examples it is about half of them.
# Each example pulls all weights one way, but not all examples pull the same way, and so
# the sum can be mixed. As the notes say: a *batch*, some examples at once, softens it.
#
# What harm does it do? Take two weights that have to go from (0, 0) to (1, −1), or
# within 0.1 of it, with one example in each step. To keep the arithmetic bare, the
# neuron has no activation; the gradient is then 2·(out − y)·x.


# %%
def walk(inputs, rate=0.2):
    w, path = np.zeros(2), [np.zeros(2)]
    for x in inputs:
        y = x[0] - x[1]
        w = w - rate * 2 * (w @ x - y) * x
        path.append(w)
        if np.abs(w - [1.0, -1.0]).max() < 0.1:
            break
    return np.array(path)


positive = np.random.default_rng(0).uniform(0.0, 1.0, (500, 2))
path = walk(positive)
print("step   move of w1   move of w2")
for step, move in enumerate(np.diff(path, axis=0)[:8], 1):
    print(f"{step:4}   {move[0]:+10.4f}   {move[1]:+10.4f}")
moves = np.diff(path, axis=0)
assert np.all(moves[:, 0] * moves[:, 1] >= 0)

# %% [markdown]
# In each line the two signs agree. But w1 must rise and w2 must fall, and no step can
# do both: the path goes up on both and down on both by turns, and gets ahead only by
# the difference between the two. This is the *zig-zag*.
#
# **Predict.** Inputs from tanh instead of sigmoid lie between −1 and 1; here that turns
# each x into 2·x − 1. Will the same walk then be shorter, longer, or as long?

# %%
centred = walk(2 * positive - 1)
print(f"inputs from 0 to 1:  {len(path) - 1} steps")
print(f"inputs from −1 to 1: {len(centred) - 1} steps")
assert len(path) > 2 * len(centred)

signs = np.sign(np.diff(centred, axis=0))
mixed = np.mean(signs[:, 0] != signs[:, 1])
print(f"of these, steps with two different signs: {mixed:.0%}")
assert mixed > 0.2
both = {"inputs from 0 to 1": path, "inputs from −1 to 1": centred}
viz.draw_paths(both, goal=(1, -1), title="Two walks to the same weights")

# %% [markdown]
# Much shorter: less than half the steps. Follow the path with inputs from 0 to 1:
# whatever the step, it goes up and to the right or down and to the left, and the goal
# lies to the right and down. The other path may go where it likes.
#
# Outputs that lie around 0 are called *zero-centred*. That is what tanh has over the
# sigmoid, and it is the notes' reason always to prefer it.

# %% [markdown]
# Otherwise the two are one curve in different dress: tanh(z) is 2·σ(2·z) − 1. Its
# largest slope is 1, four times that of the sigmoid.
#
# **Predict.** Three tanh in a row, from x = 0, as the three sigmoids above: how much of
# the gradient arrives at x? And from x = 4: more than through the sigmoids, or less?

# %%
assert np.allclose(np.tanh(z), 2 * F.sigmoid(2 * z) - 1)
assert mg.grad(F.tanh)(0.0) == 4 * mg.grad(F.sigmoid)(0.0)
sigmoids = mg.grad(lambda x: F.sigmoid(F.sigmoid(F.sigmoid(x))))
tanhs = mg.grad(lambda x: F.tanh(F.tanh(F.tanh(x))))
for x in (0.0, 4.0):
    print(f"from {x}: sigmoids {sigmoids(x):.4f}, tanhs {tanhs(x):.4f}")
assert tanhs(0.0) == 1.0
assert tanhs(4.0) < sigmoids(4.0)

flat = mg.grad(F.tanh)(math.atanh(0.97))
print(f"where tanh is 0.97 its slope is {flat:.3f}")
assert flat < 0.06

# %% [markdown]
# From 0 all of it, since each of the three stands at 0, where the slope is 1. From 4
# less than through the sigmoids: the inner 2·z makes tanh steep in the middle and flat
# soon after. By the rule above, it is saturated where its output is beyond 0.97, on
# either side of 0. So the notes are right that it saturates too.

# %% [markdown]
# ## ReLU can die
#
# *ReLU* has no exponential and no flat end on the right. Its slope is 1 or 0, so what
# gets through is not weakened, however many follow one another. But where it is 0,
# there is nothing to get through at all.
#
# One ReLU neuron, 40 examples, and a target that it could match exactly.

# %%
X = np.random.default_rng(0).uniform(0.0, 1.0, (40, 2))
y = 0.5 * X[:, :1] + 0.2


def start(activation):
    layer = mg.nn.Layer(2, 1, activation, rng=0)
    layer.weight.data, layer.bias.data = [[1.0, 1.0]], [1.0]
    return layer


def train(layer, rate, steps):
    optimizer = mg.optim.SGD(layer.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.mse_loss(layer(X), y)
        loss.backward()
        optimizer.step()
    return loss.item()


# %%
careful = start("relu")
print(f"rate 0.1, loss after 300 steps: {train(careful, 0.1, 300):.6f}")
assert train(careful, 0.1, 1) < 0.001

relu = start("relu")
viz.draw_activations(relu, X, title="Before: all examples are on the slope")

# %% [markdown]
# With a rate of 0.1 it learns. The picture is of a second neuron that starts in the
# same place: below the curve is a histogram of its z, one for each example, all on the
# slope.
#
# **Predict.** We take a single step with a rate of 1, and after that 1,000 careful
# ones. Where will the loss be?

# %%
train(relu, 1.0, 1)
thrown = relu.weight.data.copy()
loss = train(relu, 0.1, 1000)
print(f"loss after 1,000 careful steps: {loss:.4f}")
unmoved = np.array_equal(relu.weight.data, thrown)
print("weights the same to the last digit:", unmoved)
assert unmoved

health = mg.unit_health(relu, X).layers[0]
print("dead:", health.dead.tolist(), "  on-rate:", health.on_rate.tolist())
assert health.dead.all()
viz.draw_activations(relu, X, title="After: no example is on the slope")

# %% [markdown]
# Where the large step left it. The outputs were too high, so the step pushed weights
# and bias down, too far: now z is negative for every example. The slope is 0 there, the
# gradient is 0, and no step changes anything, a thousand or a million.
#
# Such a unit is *dead*: on the data given, it is never above 0. Say "dead on these 40
# examples", as another one might wake it. A unit that is off for one batch only is
# *inactive*, which is nothing unusual. How many die in a whole network, tutorial 8
# shows.

# %% [markdown]
# ## What cannot die
#
# *Leaky ReLU* was made against this: for negative z its slope is 0.01 and not 0.
#
# **Predict.** The same neuron with leaky ReLU, the same large step. Does it come back:
# within 10 careful steps of rate 0.2, within 1,000, or never?


# %%
def is_on(layer):
    return mg.unit_health(layer, X).layers[0].on_rate[0] > 0.0


def came_back(layer, most=2000):
    train(layer, 1.0, 1)
    assert not is_on(layer)
    steps = 0
    while steps < most and not is_on(layer):
        train(layer, 0.2, 1)
        steps += 1
    return steps, train(layer, 0.2, 500)


leaky_steps, loss = came_back(start("leaky_relu"))
print(f"on again after {leaky_steps} steps")
print(f"loss 500 steps later {loss:.6f}")
assert 300 < leaky_steps < 1000
assert loss < 0.001

# %% [markdown]
# Within 1,000, but only after more than 300. A slope of 0.01 is a weak pull, yet it is
# one, and the loss ends near 0.
#
# *PReLU* makes the slope for negative z a parameter, one for each neuron, which starts
# at 0.25 and is learned like a weight. *Maxout* goes another way: it has two sets of
# weights, w1 and w2, and so two weighted sums of its inputs, w1·x + b1 and w2·x + b2;
# it gives the larger of the two.
#
# **Predict.** Both after the same large step: faster than leaky ReLU, or slower?

# %%
prelu = start("prelu")
prelu_steps, prelu_loss = came_back(prelu)

maxout = mg.nn.Maxout(2, 1, rng=0)
maxout.weight.data = [[[1.0, 1.0]], [[0.0, 0.0]]]
maxout.bias.data = [[1.0], [0.0]]
maxout_steps, maxout_loss = came_back(maxout)

print("        steps until on   loss 500 steps later")
print(f"PReLU   {prelu_steps:14}   {prelu_loss:20.6f}")
print(f"Maxout  {maxout_steps:14}   {maxout_loss:20.6f}")
print(f"PReLU has learned the slope {prelu.act.weight.data[0]:.2f}")
assert max(prelu_steps, maxout_steps) < 20
assert max(prelu_loss, maxout_loss) < 0.001
assert abs(prelu.act.weight.data[0] - 0.25) > 0.1

# %% [markdown]
# Far faster, both in less than 20 steps. PReLU starts with a steeper slope, and learns
# another.
#
# The Maxout unit began as a ReLU: its second sum was 0. When the first had been pushed
# below, the second was the larger, passed the whole gradient on to its own weights, and
# took over. One of the two always has the full gradient: no saturation, no dying.
#
# And it can be more than a ReLU. With one input its two sums are straight lines, and by
# the choice of these it takes many shapes:

# %%
shapes = {
    "ReLU: max(z, 0)": lambda z: np.maximum(z, 0.0 * z),
    "leaky ReLU: max(z, 0.01·z)": lambda z: np.maximum(z, 0.01 * z),
    "absolute value: max(z, −z)": lambda z: np.maximum(z, -z),
}
viz.draw_activations(shapes, title="Three shapes of one Maxout unit")

# %% [markdown]
# So ReLU and leaky ReLU are special cases. (Hatched: here the constant line is the
# larger. z gets no gradient then, but that line's own weights do. At the corner both
# lines are equal, and each gets half.) The next cell checks this with Maxout against
# each of the two, four units with three inputs.
#
# **Predict.** Four such units of ReLU have 3·4 weights and 4 biases, 16 parameters. How
# many have four of PReLU, and how many four of Maxout?

# %%
inputs = np.random.default_rng(1).normal(size=(100, 3))
relu = mg.nn.Layer(3, 4, "relu", rng=0)
leaky = mg.nn.Layer(3, 4, "leaky_relu", rng=0)
prelu, maxout = mg.nn.Layer(3, 4, "prelu", rng=0), mg.nn.Maxout(3, 4, rng=0)

for layer, second in ((relu, 0.0), (leaky, 0.01)):
    w, b = layer.weight.data, layer.bias.data
    maxout.weight.data = [w, second * w]
    maxout.bias.data = [b, second * b]
    assert np.allclose(maxout(inputs).data, layer(inputs).data)

for layer in (relu, leaky, prelu, maxout):
    print(f"{layer!s:28} {layer.summary().parameters} parameters")
assert maxout.summary().parameters == 2 * relu.summary().parameters

# %% [markdown]
# PReLU has one more for each unit, 20; Maxout has twice as many as ReLU, 32. That is
# its price.

# %% [markdown]
# ## A race
#
# The notes report that ReLU learned six times as fast as tanh, in a famous figure. We
# let six activations learn handwritten digits, in networks that are alike: two *hidden
# layers*, rows of units between the inputs and the outputs, of 50 each; the same
# learning rate; two *seeds*, which are two random starts. `mg.fit` runs the loop of
# tutorial 1, a few examples at a time. An *epoch* is one pass through all of them; we
# count the epochs until the loss is below 0.1, and stop at 20.
#
# **Predict.** In which order will they arrive, and how many times faster is ReLU than
# tanh?

# %%
digits, labels = mg.data.load_digits()
settings = {"optimizer": "sgd", "lr": 0.1, "epochs": 20, "progress": False}


def race(activation, seed):
    model = mg.nn.MLP(64, [50, 50, 10], activation, rng=seed)
    return mg.fit(model, digits, labels, rng=seed, **settings)


def epochs_to(history, target=0.1):
    below = np.array(history["loss"]) < target
    return int(below.argmax()) + 1 if below.any() else 99


names = ["sigmoid", "tanh", "relu", "leaky_relu", "prelu", "maxout"]
runs = {name: [race(name, 0), race(name, 1)] for name in names}

# %%
epochs = {}
for name, histories in runs.items():
    counts = [epochs_to(history) for history in histories]
    epochs[name] = sum(counts) / 2
    shown = [f"{n:2}" if n < 99 else "not within 20" for n in counts]
    print(f"{name:11} {'   '.join(shown)}")

faster = epochs["tanh"] / epochs["relu"]
print(f"ReLU is {faster:.1f} times as fast as tanh")
assert 1.0 < faster < 2.0
assert epochs["sigmoid"] == 99
assert epochs["maxout"] < epochs["tanh"]
assert abs(epochs["leaky_relu"] - epochs["relu"]) < 4
shown = {name: runs[name][0] for name in ("sigmoid", "tanh", "relu", "maxout")}
viz.draw_history(shown, panels="loss", title="The first race, epoch by epoch")

# %% [markdown]
# ReLU is faster than tanh, but not even 2 times, and nothing like six. The famous
# figure is of another kind of network, a convolutional one, on photographs; on ours the
# claim shrinks. Far behind is the sigmoid, which has not arrived after 20 epochs:
# positive outputs, and slopes of at most a quarter. In the picture the others run close
# together, and the sigmoid hardly moves for the first half of the way.
#
# Leaky ReLU runs about level with ReLU: where nothing dies, a small slope below 0
# changes little. The notes say that its results are not always consistent, and that it
# is unclear how consistent those of PReLU are; two seeds cannot decide that. Maxout
# comes in before tanh, with twice the parameters.

# %% [markdown]
# ## Which one to take
#
# The notes advise ReLU, with a careful learning rate, and an eye on the share of dead
# units; if these worry you, leaky ReLU or Maxout; tanh with lower hopes; the sigmoid
# never. Weighed by what we saw:
#
# | advice | what happened here |
# |---|---|
# | not the sigmoid | saturates, positive outputs, and last in the race by far |
# | tanh rather than sigmoid | true, by being zero-centred and four times as steep |
# | ReLU before tanh | true, by less than the notes say |
# | mind the rate with ReLU | one large step killed a neuron for good |
# | leaky ReLU, PReLU, Maxout | all three came back; Maxout costs twice the parameters |
#
# "Never" is a strong word, though: in an output that should be a probability, the
# sigmoid is at home. Tutorial 3 uses it there.

# %% [markdown]
# ## What you have seen
#
# - A gradient that passes through a neuron is multiplied by the slope at its z.
# - Saturated means that this slope is nearly gone; sigmoid and tanh have two such ends.
# - Inputs of one sign give gradients of one sign, example by example, and a zig-zag.
# - A ReLU that is off for all examples gets no gradient and stays so: it is dead.
# - A slope that is never 0 brings a unit back: leaky ReLU, PReLU, Maxout.
#
# Tutorial 3 puts a single neuron to work, as a classifier.

# %% [markdown]
# ## Exercises
#
# 1. A curve of your own: swish, z·σ(z), and its slope, by hand.
# 2. Which units are saturated? Count them by the exact rule, from the z of a batch.
# 3. The distance |x − center| from one Maxout unit: find its weights and biases.
# 4. Revive a dead ReLU layer by changing its biases and nothing else.
#
# Copy them with `micrograd-nn tutorial 2 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_02.py`, and ask
# `pytest -m tutorial_2` how you did.
