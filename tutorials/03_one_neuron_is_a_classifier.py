# %% [markdown]
# # 3. One neuron is a classifier
#
# One neuron cuts its inputs into two sides. That can be enough to tell two kinds of
# things apart. Here the same neuron becomes two well-known classifiers, *logistic
# regression* and the *support vector machine*; the only difference is the loss. At the
# end you can say which examples teach each of them, what regularisation does to a
# weight in every step, and what no single neuron can do.

# %% [markdown]
# ## From a score to a probability
#
# We want to tell two classes of points apart, class 0 and class 1. Each *example* is a
# point with two coordinates, a row of `X`; its class, the *label*, stands in `y`.

# %%
import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F
import viz

centers = [[-1.0, -0.6], [1.4, 1.0]]
X, y = mg.data.make_blobs(60, centers, cluster_std=[0.55, 0.95], rng=3)
print("X", X.shape, "y", y.shape)
print("of class 0:", np.sum(y == 0), " of class 1:", np.sum(y == 1))
print(X[:3].round(2), y[:3])

# %% [markdown]
# The neuron computes w1·x1 + w2·x2 + b, as in tutorial 1; for short, w·x + b. We call
# this number the *score* of the example, and stop there: an activation "identity"
# leaves it as it is. The sigmoid σ then turns the score s into a number between 0 and
# 1, and that we read as the probability of class 1, P(y = 1 | x) = σ(s). Class 0 gets
# the rest.
#
# **Predict.** A score of 2 gives class 1 a probability of 0.8808. What does a score of
# −2 give? And which score gives both classes the same?

# %%
print("score   P(class 1)   P(class 0)")
for s in (-6.0, -2.0, 0.0, 2.0, 6.0):
    p = F.sigmoid(s)
    print(f"{s:5.1f} {p:12.4f} {1 - p:12.4f}")
assert F.sigmoid(0.0) == 0.5
assert np.isclose(F.sigmoid(-2.0), 1 - F.sigmoid(2.0))

# %% [markdown]
# With the other sign, the classes change places: 0.1192. A score of 0 gives both 0.5
# and means "I cannot say". So the sign of the score is the decision, predict class 1 if
# P > 0.5, and its size is how sure the neuron is. A score of 6 leaves the other class
# only 0.0025.
#
# Where is the score 0? With two inputs, w1·x1 + w2·x2 + b = 0 is a straight line. Here
# is a neuron with weights made up by us, which has learned nothing.

# %%
guess = mg.nn.Neuron(2, "identity", init="zeros")
guess.weight.data = [-0.5, 1.0]

right = (guess(X).data > 0) == (y == 1)
print(f"{np.sum(right)} of {len(y)} points are on the side of their class")
viz.draw_boundary(guess, X, y, title="A neuron that has learned nothing")

# %% [markdown]
# The black line is where the score is 0. The tint is the probability, paler where the
# neuron is less sure, in bands that run along the line. A circle (in a terminal a
# capital letter) marks a point on the wrong side.

# %% [markdown]
# ## The same as a softmax of two scores
#
# There is another way to make probabilities, which works for any number of classes:
# give each class a score, take e to the power of each, and divide by the sum. This is
# the *softmax*. With two classes it needs two scores, and our neuron has one.
#
# **Predict.** Suppose we give class 0 the score 0, always, and class 1 the neuron's
# score. Is softmax's probability of class 1 larger than σ(s), smaller, or the same?


# %%
def softmax(scores):
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


s = guess(X).data
two_scores = np.stack([np.zeros(60), s], axis=1)
print("softmax", softmax(two_scores)[:4, 1].round(4))
print("sigmoid", F.sigmoid(s)[:4].round(4))
assert np.allclose(softmax(two_scores)[:, 1], F.sigmoid(s), rtol=1e-12)
shifted = softmax(two_scores + 5.0)
assert np.allclose(shifted, softmax(two_scores), rtol=1e-12)

# %% [markdown]
# The same: e^s / (e^0 + e^s) is 1 / (1 + e^−s) after dividing by e^s. The last lines of
# the cell say why one score is enough: adding 5 to both scores changes nothing, for
# only their difference counts. A neuron with a sigmoid is a softmax of two classes, the
# *binary* one. Another name for it is logistic regression.

# %% [markdown]
# ## What a mistake costs
#
# To learn we need a loss. Look at the probability p that the neuron gave to the class
# that is right. The *cross-entropy* of the example is −log p: nothing if p is 1, and
# more the smaller p is.
#
# **Predict.** Someone who cannot say gives p = 0.5, which costs 0.693. Someone who is
# confident and wrong gives the right class 0.01. Does that cost twice as much, seven
# times, or fifty times?

# %%
print("p of the right class      cost")
for p in (0.99, 0.9, 0.5, 0.1, 0.01, 0.0001):
    print(f"{p:<20} {-np.log(p):9.3f}")
assert 6.5 < np.log(0.01) / np.log(0.5) < 7

# %% [markdown]
# About seven times: 4.605. And it has no upper end, p = 0.0001 costs twice that. In the
# long run the smallest cost is that of saying the true probability: one must be right,
# and also know how sure to be.
#
# Why not the squared distance of tutorial 1, (p − 1)²? What teaches is the gradient.
#
# **Predict.** An example of class 1 has the score −6: confident and wrong. Which loss
# has the larger gradient on the score, cross-entropy or the square? And by how much?

# %%
print("score   cross-entropy   square      (gradients on the score)")
for start in (2.0, 0.0, -2.0, -6.0):
    score = mg.Value(start, name="score")
    entropy = F.binary_cross_entropy_with_logits(score, 1.0)
    square = (score.sigmoid() - 1.0) ** 2
    g, h = mg.gradients(entropy)[score], mg.gradients(square)[score]
    assert np.isclose(g, F.sigmoid(start) - 1.0)
    print(f"{start:5.1f} {g:12.4f} {h:12.4f}")
assert F.sigmoid(40.0) == 1.0

# %% [markdown]
# Cross-entropy pulls with −0.9975, the square with −0.0049. On its way back the square
# passes through the slope of the sigmoid, and far out the sigmoid is flat (it is
# *saturated*, as tutorial 2 has it). So the worst mistakes would teach the least.
#
# The logarithm undoes this. Its gradient on the score is p(class 1) − y: what was said
# minus what is true. The function is called `binary_cross_entropy_with_logits`;
# *logits* is another word for scores. It takes the score, and not σ of it, because
# σ(40) is 1 to the last digit, and there is no log(1 − 1).

# %%
x, w = mg.Value(2.0, name="x"), mg.Value(-1.5, name="w")
b = mg.Value(0.5, name="b")
score = w * x + b
score.name = "score"
loss = F.binary_cross_entropy_with_logits(score, 1.0)
loss.name = "loss"
loss.backward()
viz.draw(loss, title="One example of class 1, on the wrong side")

# %% [markdown]
# Look at the gradient of the score: it is σ(score) − 1, as the edge into the loss says.
# From there back it is tutorial 1: the sum passes it on, the product multiplies by the
# other factor. The weight has a negative gradient, so it will grow, and with it this
# score.

# %% [markdown]
# ## Training, step by step
#
# The loss of all 60 examples is the mean of theirs. We begin with weights and bias 0:
# all points look the same to the neuron.
#
# **Predict.** What is the loss then? And in which direction will the first step move
# the weights?

# %%
neuron = mg.nn.Neuron(2, "identity", init="zeros")
optimizer = mg.optim.SGD(neuron.parameters(), lr=0.5)

loss = F.binary_cross_entropy_with_logits(neuron(X), y)
optimizer.zero_grad()
loss.backward()
optimizer.step()

across = X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)
print(f"loss before the first step:        {loss.item():.4f}")
print("weights after it:                 ", neuron.weight.data.round(4))
print("from centre to centre, over 8:    ", (across / 8).round(4))
assert np.isclose(loss.item(), np.log(2))
assert np.allclose(neuron.weight.data, across / 8)

# %% [markdown]
# 0.6931, the cost of "I cannot say", for that is what it says of every point. And the
# weights move exactly from the centre of class 0 towards that of class 1. An example's
# gradient on the weights is (p − y)·x, and p is 0.5 for all: each point of class 1
# pulls the weights towards itself, each of class 0 pushes them away, all equally hard.
# (Over 8: the rate is a half, so is p − y, and so is each class's share of the mean.)
#
# From now on they differ. A point that is well on its side has p near y, and pulls less
# and less. We take 300 steps, and keep copies on the way.

# %%
import copy

after = {"1 step": copy.deepcopy(neuron)}
for step in range(2, 301):
    loss = F.binary_cross_entropy_with_logits(neuron(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step in (10, 300):
        after[f"{step} steps"] = copy.deepcopy(neuron)
        weights = neuron.weight.data.round(2)
        print(f"step {step:3}: loss {loss.item():.4f}, weights {weights}")
assert loss.item() < 0.06
viz.draw_boundary(after, X, y, title="Logistic regression learns")

# %% [markdown]
# After one step the line is nearly where it will stay. What the other steps do is to
# make the neuron surer: the pale band along the line gets narrow. The line turns only
# a little, towards what the few points near it want.

# %% [markdown]
# ## The same neuron with a margin
#
# Now another loss. Call the classes −1 and +1, in place of 0 and 1, and look at label
# times score, y·s: it is positive on the right side, where it grows with the distance
# from the line, and negative on the wrong one. This is the *margin* of the example. The
# *hinge loss* asks for a margin of at least 1, and costs what is missing:
# max(0, 1 − y·s). It knows no probabilities. The cross-entropy, too, depends on the
# margin alone: it is −log σ(y·s), which is log(1 + e^−margin).
#
# **Predict.** An example has the margin 2. Under which of the two losses does it still
# have a gradient?

# %%
losses = {
    "cross-entropy: log(1 + e^−z)": lambda z: F.softplus(-z),
    "hinge: max(0, 1 − z)": lambda z: F.relu(1 - z),
}
score = mg.Value(2.0, name="score")
entropy = F.binary_cross_entropy_with_logits(score, 1.0)
assert np.isclose(entropy.item(), F.softplus(-2.0))
for name, loss in losses.items():
    gradient = mg.gradients(loss(score))[score]
    print(f"{name:30} gradient at 2: {gradient:z.4f}")
viz.draw_activations(losses, title="What an example costs, by its margin z")

# %% [markdown]
# Only under cross-entropy, −0.1192. On the left, where the neuron is wrong, the two are
# alike: the cost grows with the distance, and the slope is near −1. On the right the
# hinge loss is content from 1 on; the hatching says that nothing comes back there.
# Cross-entropy is never quite content: its slope gets small, and is never 0.

# %% [markdown]
# We train both on the same points. `mg.fit` runs the loop that we wrote above, and
# lowers the learning rate on the way, so that it comes to rest. Both also get a little
# regularisation, `l2`, which the next section is about. A neuron with the hinge loss
# and L2 regularisation is a binary support vector machine, an *SVM*.
#
# (The sum over the examples is divided by 60, however many there are: soon we leave
# some out, and then nothing else shall change.)


# %%
settings = {"optimizer": "sgd", "lr": 0.5, "schedule": "exponential"}
settings |= {"epochs": 1500, "batch_size": 60, "rng": 0, "progress": False}


def trained(loss, X, y, strength):
    neuron = mg.nn.Neuron(2, "identity", init="zeros")
    mg.fit(neuron, X, y, loss=loss, l2=strength, **settings)
    return neuron


def mean_of_60(loss):
    return lambda scores, y: loss(scores, y, reduction="sum") / 60


entropy = mean_of_60(F.binary_cross_entropy_with_logits)
hinge = mean_of_60(F.hinge_loss)
t = 2 * y - 1  # labels −1 and +1
logistic = trained(entropy, X, y, 0.03)
svm = trained(hinge, X, t, 0.03)
pair = {"logistic regression": logistic, "SVM": svm}
viz.draw_boundary(pair, X, t, title="Two losses, two lines")

# %% [markdown]
# Both put every point on its side, with lines that are alike but not equal. The tint is
# the score this time, and the dashed lines are the scores −1 and +1. (In a terminal:
# the blank and the lightly shaded part.) Between them is a road. The hinge loss wants
# the points off the road, each on its side, while small weights make the road wide.
#
# **Predict.** Of the 60 examples, how many still have a gradient on the scores of the
# trained SVM? How many under logistic regression?

# %%
margins = t * svm(X).data
inside = margins < 0.99
pull = np.abs(F.sigmoid(logistic(X).data) - y)
print(f"SVM: {inside.sum()} of 60 examples have a gradient")
print("  smallest margins:", np.sort(margins)[:9].round(3))
print(f"logistic regression: {np.sum(pull > 0)} of 60")
print(f"  strongest pull {pull.max():.2f}, weakest {pull.min():.4f}")
assert inside.sum() == 5
assert margins.min() > 0
assert np.all((pull > 0) & (pull < 0.5))

# %% [markdown]
# Five, against all 60. Three more stand on the edge of the road, with a margin of 1:
# there the hinge has its kink, and they hold the line from both sides. These eight are
# the *support vectors*. If the others do not matter, we may throw them away.
#
# **Predict.** We keep these eight examples, and train both again. Which line moves?

# %%
kept = margins < 1.02
few_svm = trained(hinge, X[kept], t[kept], 0.03)
few_logistic = trained(entropy, X[kept], y[kept], 0.03)
old, new = svm.weight.data.round(3), few_svm.weight.data.round(3)
print(f"SVM:      weights from all {old}, from {kept.sum()} examples {new}")
old, new = logistic.weight.data.round(3), few_logistic.weight.data.round(3)
print(f"logistic: weights from all {old}, from {kept.sum()} examples {new}")
assert kept.sum() == 8
assert np.allclose(svm.weight.data, few_svm.weight.data, atol=0.002)
assert np.all(few_logistic.weight.data < 0.6 * logistic.weight.data)
pair = {"logistic regression": few_logistic, "SVM": few_svm}
viz.draw_boundary(pair, X, t, title="Trained on eight examples")

# %% [markdown]
# The SVM is where it was. Logistic regression has moved, and its road is much wider: it
# had listened to all the others (they are drawn too), if quietly. Neither is the better
# one in general. The SVM cares for the hard cases only; logistic regression gives
# probabilities.

# %% [markdown]
# ## Regularisation: forgetting, a little in each step
#
# *L2 regularisation* adds to the loss a penalty on large weights, strength · ½ Σ w².
# Its gradient on a weight is strength · w. What does that do, by itself? We take a
# neuron with weights 2 and −1 and bias 1, and no data at all.
#
# **Predict.** The rate is 0.1, the strength 0.5. What is left of a weight after one
# step? Are the weights 0 after 20 steps? And what becomes of the bias?

# %%
neuron = mg.nn.Neuron(2, "identity", init="zeros")
neuron.weight.data, neuron.bias.data = [2.0, -1.0], 1.0
optimizer = mg.optim.SGD(neuron.parameters(), lr=0.1)
start = neuron.weight.data.copy()

for step in range(21):
    if step in (0, 1, 2, 10, 20):
        weights, bias = neuron.weight.data.round(4), neuron.bias.data
        print(f"step {step:2}: weights {weights}, bias {bias}")
    left = (1 - 0.1 * 0.5) ** step
    assert np.allclose(neuron.weight.data, start * left, rtol=1e-12)
    optimizer.zero_grad()
    mg.nn.l2_penalty(neuron, strength=0.5).backward()
    optimizer.step()

# %% [markdown]
# A step takes rate · strength · w away, and so multiplies every weight by
# 1 − rate · strength, here 0.95: 1.9 is left of 2, and after 20 steps about a third. A
# weight moves towards 0 and never arrives. The notes read it as gradual forgetting, and
# by itself it is that and no more. The bias stays: it only shifts the line, and one
# does not usually regularise it.

# %% [markdown]
# In training, the data pull the other way in the same step. First without forgetting;
# we watch the *length* of the weights, √(w1² + w2²).
#
# **Predict.** A line separates our two classes without a mistake. If we train logistic
# regression for 200 steps, and then for 2,000, without regularisation, do the weights
# come to rest?

# %%
neuron = mg.nn.Neuron(2, "identity", init="zeros")
optimizer = mg.optim.SGD(neuron.parameters(), lr=0.5)
lengths = {}
for step in range(1, 2001):
    loss = F.binary_cross_entropy_with_logits(neuron(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    lengths[step] = np.linalg.norm(neuron.weight.data)
    if step in (20, 200, 2000):
        print(f"step {step:4}: loss {loss.item():.4f}", end=", ")
        print(f"length of the weights {lengths[step]:.2f}")
assert lengths[2000] > 1.5 * lengths[200] > 1.5 * 1.5 * lengths[20]

# %% [markdown]
# They do not: they grow, ever more slowly, for ever. Where all points are on their
# side, twice the weights and twice the bias are the same line with every score doubled,
# and a smaller loss. The neuron can always gain by being surer. Forgetting puts an end
# to this.

# %%
neurons = {}
for strength in (0.001, 0.03, 1.0):
    neuron = trained(entropy, X, y, strength)
    neurons[f"strength {strength}"] = neuron
    length = np.linalg.norm(neuron.weight.data)
    wrong = np.sum((neuron(X).data > 0) != (y == 1))
    print(f"strength {strength:5}: length {length:.2f}, {wrong} wrong")
assert length < 1
assert wrong == 3
viz.draw_boundary(neurons, X, y, title="More forgetting, less certainty")

# %% [markdown]
# The stronger the forgetting, the shorter the weights, and the paler the plane: the
# neuron is sure only where the data insist. With the strength 1.0 it even gives up
# three points near the line.
#
# **Predict.** Where training has come to rest, look at one step: the data's gradient on
# the weights, and strength · w. How are the two related?

# %%
neuron = neurons["strength 0.03"]
neuron.zero_grad()
F.binary_cross_entropy_with_logits(neuron(X), y).backward()
print("gradient of the data:  ", neuron.weight.grad.round(3))
forgotten = 0.03 * neuron.weight.data
print("strength times weights:", forgotten.round(3))
assert np.allclose(neuron.weight.grad, -forgotten, atol=1e-3)

# %% [markdown]
# They cancel: at rest, the data teach in every step exactly as much as is forgotten. A
# weight that no data support gets nothing back, and fades. This is why regularisation
# helps against learning by heart; tutorial 6 shows it on larger networks.

# %% [markdown]
# ## What one neuron cannot do
#
# Four points, at the corners of a square. Class 1 is where the signs of the coordinates
# differ, class 0 where they are the same. This is called *XOR*, exclusive or.
#
# **Predict.** We try 10,000 random lines. How many of the four corners does the best
# of them put on the right side?

# %%
corners, labels = mg.data.make_xor(4, noise=0, rng=0)
rng = np.random.default_rng(0)
W, B = rng.normal(size=(2, 10_000)), rng.normal(size=10_000)
right = ((corners @ W + B > 0) == (labels == 1)[:, None]).sum(axis=0)
for count, lines in enumerate(np.bincount(right, minlength=5)):
    print(f"{count} corners right: {lines:5,} lines")

scores = corners @ W + B
sums = [scores[labels == k].sum(axis=0) for k in (0, 1)]
assert np.allclose(sums[0], sums[1])
assert right.max() == 3

# %% [markdown]
# Three. And no search would find a fourth: the two corners of class 0 lie opposite each
# other, with the centre of the square halfway between them, and so do those of class 1.
# Halfway between two points the score is halfway between theirs. So the scores of each
# pair add up to twice the score at the centre: to the same (the first assert). But with
# all four right, one sum would be negative and the other positive.
#
# Real data are seldom so mean, but often bent. These are two half *moons*.

# %%
X, y = mg.data.make_moons(100, 0.1, rng=0)
one = mg.nn.MLP(2, [1], rng=0)
more = mg.nn.MLP(2, [8, 1], "tanh", rng=0)
loss = "binary_cross_entropy_with_logits"
settings = {"loss": loss, "epochs": 150, "rng": 0, "progress": False}
mg.fit(one, X, y, lr=0.5, **settings)
mg.fit(more, X, y, lr=0.05, **settings)
share = np.mean((one(X).data[:, 0] > 0) == (y == 1))
print(one.summary())
assert share < 0.95
assert np.all((more(X).data[:, 0] > 0) == (y == 1))
pair = {"one neuron": one, "eight, and then one": more}
viz.draw_boundary(pair, X, y, title="Two moons")

# %% [markdown]
# However it is trained, one neuron draws one straight line, and both moons reach across
# it. On the right, eight neurons look at the points, each with a line of its own, and
# one more looks at the eight.
#
# The summary calls the single neuron a 1-layer network, and so do the notes: logistic
# regression and SVM are single-layer networks. Scores, losses, margins and forgetting
# stay as they are when more layers come in front.

# %% [markdown]
# ## What you have seen
#
# - A neuron's score, through a sigmoid, is a probability: the softmax of two classes.
# - Cross-entropy makes a confident mistake costly, and its gradient on the score is
#   what was said minus what is true.
# - With the hinge loss the same neuron is an SVM: only examples within the margin
#   teach, and the others can be thrown away.
# - L2 regularisation multiplies each weight by 1 − rate · strength in every step;
#   training ends where the data give back what is forgotten.
# - One neuron draws one straight line.
#
# Tutorial 4 puts neurons side by side and one after another: a layer is a matrix.

# %% [markdown]
# ## Exercises
#
# 1. The probability of class 1 for a whole array of points.
# 2. The gradient of the mean cross-entropy on weights and bias, by hand.
# 3. Which examples still teach an SVM.
# 4. One full step of training an SVM, the data and the forgetting together.
#
# Copy them with `micrograd-nn tutorial 3 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_03.py`, and ask
# `pytest -m tutorial_3` how you did.
