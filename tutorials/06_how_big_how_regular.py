# %% [markdown]
# # 6. How big, how regular
#
# How many units should a network have? Too few, and it cannot follow the data; too
# many, and it follows every accident of it. This tutorial shows both, and why the notes
# still advise against small networks: there are better means to keep a large one calm.
# At the end you can say what a number of units does to a result, and to how much that
# result depends on luck.

# %% [markdown]
# ## Points that overlap
#
# We need data that cannot be told apart without mistakes. `make_moons` draws two half
# circles that interlock; with much noise they overlap. We train on 60 points, and keep
# 1,000 more from the same source to test on. The *training accuracy* is the share of
# points a network learned from that it gets right, the *test accuracy* that of points
# it has never seen. Only the second tells whether it has understood anything.

# %%
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import networkx as nx
import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F
import viz


def moons(seed):
    return mg.data.make_moons(60, 0.35, rng=seed)


X_test, y_test = mg.data.make_moons(1000, 0.35, rng=1000)


# %% [markdown]
# Training is the loop from tutorial 1, with two additions. The steps are those of Adam,
# as in tutorial 5. And `model.train()` and `model.eval()` tell the network whether it
# is learning or in use, which will matter below. Each step takes all 60 points at once;
# the strength `l2` stays at 0 for now.


# %%
def train(model, X, y, l2=0.0, steps=400):
    optimizer = mg.optim.Adam(model.parameters(), lr=0.1)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X), y)
        if l2:
            loss = loss + mg.nn.l2_penalty(model, l2)
        loss.backward()
        optimizer.step()
    return model.eval()


def measured(model, X, y):
    return mg.training.evaluate(model, "cross_entropy", X, y)  # loss, accuracy


# %% [markdown]
# ## Three sizes
#
# Three networks with one hidden layer, of 3, 6 and 20 tanh units, learn the same 60
# points.
#
# **Predict.** Which of them gets the most training points right? And which the most
# test points?

# %%
X, y = moons(1)
sizes = {}
print("units   training   test")
for units in (3, 6, 20):
    model = train(mg.nn.MLP(2, [units, 2], "tanh", rng=0), X, y)
    sizes[f"{units} units"] = model
    right, right_test = measured(model, X, y)[1], measured(model, X_test, y_test)[1]
    print(f"{units:5}   {right:8.1%}   {right_test:5.1%}")
assert measured(sizes["20 units"], X, y)[1] == 1.0
assert right_test < 0.85 < measured(sizes["3 units"], X_test, y_test)[1]
viz.draw_boundary(sizes, X, y, title="One hidden layer of 3, 6 and 20 units")

# %% [markdown]
# The more units, the more complicated the regions. Twenty units get every training
# point right. For that they send out arms and channels, wherever the noise put a point
# among the others, and cut the plane into pieces; look for an island with no point on
# it at all. Three units draw the broad strokes and treat a few points as *outliers*,
# accidents not worth following: the ringed ones (in a terminal, the capital letters).

# %% [markdown]
# To fit the accidents along with the pattern is called *overfitting*. The test points
# have other accidents, so there the effort is lost, or worse: here the order is turned
# round, and 20 units get the fewest right.
#
# These pictures are `viz.draw_boundary`; for a run that was trained in the terminal,
# `micrograd-nn draw RUN --as boundary` draws the same. Change the numbers of units and
# look again: it is the best way to get a feeling for them.

# %% [markdown]
# ## Is it always so?
#
# One picture is one draw of 60 points. We repeat it with five, and count the *regions*,
# too: the pieces into which a network cuts the plane, found on a grid.


# %%
def regions(model, n=40):
    across, up = np.meshgrid(np.linspace(-2, 3, n), np.linspace(-1.5, 2, n))
    scores = model(np.c_[across.ravel(), up.ravel()]).data
    given = scores.argmax(axis=1).reshape(n, n)
    grid = nx.grid_2d_graph(n, n)
    borders = [(p, q) for p, q in grid.edges if given[p] != given[q]]
    grid.remove_edges_from(borders)
    return nx.number_connected_components(grid)


for name, model in sizes.items():
    print(f"{name:8}: {regions(model)} regions")
assert regions(sizes["20 units"]) > regions(sizes["3 units"]) == 2

# %% [markdown]
# Two would be enough, one for each class; the large network has cut out more. Is that
# an accident of these points?
#
# `mg.sweep` calls a function with every setting and every seed, and gives a table of
# means and *standard deviations*, which say how much the runs differ among themselves.
# Beside the accuracy we take the loss on the test points: it also counts how sure a
# network is, and a sure mistake costs much.


# %%
def run(units, seed, l2=0.0, dropout=0.0, noise=0.0):
    X, y = moons(seed)
    model = mg.nn.MLP(2, [units, 2], "tanh", seed, dropout=dropout, input_noise=noise)
    train(model, X, y, l2)
    _, right = measured(model, X, y)
    loss, test = measured(model, X_test, y_test)
    return {"right": right, "test": test, "loss": loss, "regions": regions(model)}


# %% [markdown]
# **Predict.** On average over five draws, does the network of 3 units beat that of 20
# on test accuracy? By more than the runs differ? And on test loss?


# %%
def table(settings):
    with ThreadPoolExecutor(1) as pool:
        result = mg.sweep(run, settings, pool, seeds=5, progress=False)
    print("                      training   test          test loss     regions")
    found = []
    for group in result.group():
        name = ", ".join(f"{k} {v}" for k, v in group.setting.items())
        v = group.values
        test = f"{v['test'].mean:.1%} ± {v['test'].std:.1%}"
        loss = f"{v['loss'].mean:.2f} ± {v['loss'].std:.2f}"
        print(f"{name:21} {v['right'].mean:7.1%}    {test:13} {loss:13}", end=" ")
        print(f"{v['regions'].mean:.1f}")
        found.append(v)
    return found


three, six, twenty = table([{"units": units} for units in (3, 6, 20)])
assert twenty["right"].mean > 0.97 > three["right"].mean
assert twenty["loss"].mean > three["loss"].mean
assert abs(twenty["test"].mean - three["test"].mean) < 0.04
assert twenty["regions"].mean > three["regions"].mean

# %% [markdown]
# With more units the training accuracy rises to nearly all points, as the notes say,
# and 20 units cut out the most regions. On the test points the small network is hardly
# ahead in accuracy: the difference is no larger than that among runs. In test loss it
# is, and clearly: the large network is sure of itself on its islands too.
#
# So should one take 3 units? The notes say no: *do not choose a small network to avoid
# overfitting*. They name three other means.

# %% [markdown]
# ## A large network, kept calm
#
# The first is *regularisation*: we add to the loss a penalty for large weights, here
# *L2*: strength · ½ · the sum of all squared weights (biases are left out). It pulls
# every weight towards 0 (the forgetting of tutorial 3), so a weight stays large only if
# the data keep asking for it. Large weights are what a sharp turn of the border needs.
#
# **Predict.** Twenty units, strengths 0.001, 0.01 and 0.1. What happens to the arms and
# islands? And to the training accuracy?

# %%
calm = {"no L2": sizes["20 units"]}
for strength in (0.001, 0.01, 0.1):
    model = mg.nn.MLP(2, [20, 2], "tanh", rng=0)
    calm[f"L2 {strength}"] = train(model, X, y, l2=strength)
largest = [abs(model.layers[0].weight.data).max() for model in calm.values()]
print("largest weight of a hidden unit:", "  ".join(f"{w:.1f}" for w in largest))
assert largest == sorted(largest, reverse=True)
viz.draw_boundary(calm, X, y, title="Twenty units, L2 from none to strong")

# %% [markdown]
# The same 20 units each time; only the strength differs. As it grows, the weights
# shrink, the islands join the land, and the border becomes smooth. With 0.1 it is
# almost a straight line, and pale: the network does not dare to be sure of anything.
# The strength does what the number of units seemed to be for, and in finer steps.

# %% [markdown]
# The second means is *dropout*: in every training step each hidden unit is left out
# with some probability, so that no unit can rely on any other. The third is *input
# noise*: every step sees the points a little displaced, so an arm to a single point no
# longer pays. Both act while the network learns, and not when it is used.


# %%
def calmed(**means):
    return train(mg.nn.MLP(2, [20, 2], "tanh", 0, **means), X, y)


others = {
    "nothing": sizes["20 units"],
    "dropout 0.3": calmed(dropout=0.3),
    "noise 0.2": calmed(input_noise=0.2),
}
cut = [regions(model) for model in others.values()]
print("regions:", cut)
assert max(cut[1:]) < cut[0]
viz.draw_boundary(others, X, y, title="Twenty units, dropout and input noise")

# %% [markdown]
# The islands are gone with either. In numbers, over five draws again:
#
# **Predict.** Which of these brings 20 units to the best test loss: L2, dropout, or
# input noise? And does any of them beat 3 units?

# %%
settings = [{"units": 20, "l2": strength} for strength in (0.001, 0.01, 0.1)]
settings.append({"units": 20, "dropout": 0.3})
settings.append({"units": 20, "noise": 0.2})
weak, medium, strong, dropped, noisy = table(settings)
for cure in (weak, medium, strong, dropped, noisy):
    assert cure["loss"].mean < 0.75 * three["loss"].mean
assert strong["right"].mean < medium["right"].mean < weak["right"].mean

# %% [markdown]
# All of them bring the test loss of 20 units far below what 3 units had. The accuracy
# rises too, by about as much as the runs differ, but for the strongest L2. Which of the
# three is best is closer than five draws can decide.
#
# L2 with 0.1 shows the other side: it is too stiff even for the training points. That
# is *underfitting*. On new data, one finds the strength by trying a few and taking the
# best on points that were held back.

# %% [markdown]
# ## Small networks depend on luck
#
# The notes have another reason against small networks: they are harder to train. Their
# loss has few *local minima* (places from which every small step leads up), but many of
# these are bad, and where one ends depends on the first random weights. Large networks
# have many minima, most of them good and about equally good.
#
# That can be tried. Now the moons hardly overlap, the units are ReLU, and only the
# training loss matters: does the network get these 60 points right at all? We start
# each size from 100 different random weights, which is 300 runs.

# %%
X, y = mg.data.make_moons(60, 0.1, rng=0)


def descend(units, seed, steps=100):
    model = mg.nn.MLP(2, [units, 2], "relu", rng=seed)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(X), y).backward()
        optimizer.step()
    return model


# %% [markdown]
# `mg.sweep` once more, this time with 100 seeds.


# %%
def final_loss(units, seed):
    return {"loss": measured(descend(units, seed), X, y)[0]}


with ThreadPoolExecutor(1) as pool:
    settings = {"units": [3, 6, 20]}
    result = mg.sweep(final_loss, settings, pool, seeds=100, progress=False)
losses = {u: result.column("loss")[result.column("units") == u] for u in (3, 6, 20)}
print(len(result), "runs,", len(result.failed), "failed")

# %% [markdown]
# Here is how many runs of each size ended where, with a block for every 7 of them.
#
# **Predict.** For 3 units: are the 100 final losses spread evenly, all close together,
# or in heaps?

# %%
edges = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 1.0]
print("final loss     3 units            6 units              20 units")
for low, high in pairwise(edges):
    line = f"{low:4.2f} to {high:4.2f}   "
    for units in (3, 6, 20):
        count = int(np.sum((losses[units] >= low) & (losses[units] < high)))
        bar = "█" * -(-count // 7)
        line += f"{count or '':>3} {bar:17}"
    print(line.rstrip())
for group in result.group():
    spread = group.values["loss"]
    print(f"{group.setting['units']:2} units: mean {spread.mean:.4f},", end=" ")
    print(f"standard deviation {spread.std:.4f}")
std = [group.values["loss"].std for group in result.group()]
assert std[0] > std[1] > 5 * std[2]
assert losses[20].max() < 0.1 < np.median(losses[3])

# %% [markdown]
# In heaps. About a fifth of the networks of 3 units end close to 0, more than half
# between 0.20 and 0.25, and few in between. Of 6 units most are good and a second heap is
# bad; of 20 units all are good. The standard deviation falls with the size, as the
# notes claim: where a small network ends is a matter of luck, and where a large one
# ends is not.
#
# Let us look at one network of the great heap, that of seed 30, beside a good one, that
# of seed 9.

# %%
good, bad = losses[3][9], losses[3][30]
assert good < 0.05 < 0.2 < bad < 0.25
pair = {
    f"good: loss {good:.3f}": descend(3, seed=9),
    f"bad: loss {bad:.3f}": descend(3, seed=30),
}
viz.draw_boundary(pair, X, y, title="Three units, two beginnings")

# %% [markdown]
# Three units can do it: the left network proves that. The right one bends its border
# once among the points where three bends are needed, and cuts as well as it can so.
#
# **Predict.** Was it only too slow? If we give it ten times as many steps, does it find
# its way to the good solution?

# %%
longer, _ = measured(descend(3, seed=30, steps=1000), X, y)
print(f"100 steps: {bad:.4f}   1,000 steps: {longer:.4f}")
assert longer > 0.9 * bad

# %% [markdown]
# It was not too slow; it has arrived. To bend the border, units would have to move far,
# and no small step in that direction makes the loss smaller. Gradient descent takes
# small steps only.
#
# **Predict.** A ReLU unit can *die*: give 0 for every point, and learn no more
# (tutorial 8 is about that). Do the bad networks all have a dead unit?

# %%
stuck = [seed for seed in range(100) if losses[3][seed] > 0.1]
alive = 0
for seed in stuck[:30]:
    report = mg.unit_health(descend(3, seed), X)
    alive = alive + (not report.layers[0].dead.any())
print(f"of 30 bad networks {alive} have no dead unit")
assert alive > 15

# %% [markdown]
# Most have none. Death is one way to be stuck, and a bad minimum can do without it.
#
# With 20 units there are so many of them that some stand in a useful place from the
# start. That is why one takes a network larger than seems necessary, and keeps it calm
# with L2, dropout or noise.

# %% [markdown]
# ## What you have seen
#
# - More hidden units draw more complicated regions: 3 the broad strokes, 20 an arm to
#   every accident.
# - Twenty units fit every training point and are sure of their mistakes on new ones; in
#   test accuracy the difference to 3 units was lost among the runs.
# - L2, dropout and input noise calm a large network, and took it below the test loss of
#   the small one. Too much of it underfits.
# - Small networks get stuck: of 100 beginnings with 3 units most ended in the same kind
#   of bad minimum, of 20 units none.
#
# All of this rests on gradients being right. Tutorial 7 shows how to find out whether
# they are.

# %% [markdown]
# ## Exercises
#
# 1. The L2 penalty of a network, from its parameters.
# 2. Dropout for an array, such that the mean stays what it was.
# 3. If a small network ends well with probability p, how often must one begin anew to
#    have at least one good one, almost surely?
#
# Copy them with `micrograd-nn tutorial 6 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_06.py`, and ask
# `pytest -m tutorial_6` how you did.
