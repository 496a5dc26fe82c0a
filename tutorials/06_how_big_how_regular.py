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
# points a network learned from that it gets right, the *test accuracy* that of points it
# has never seen. Only the second tells whether it has understood anything.

# %%
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F
import viz


def moons(seed):
    return mg.data.make_moons(60, 0.35, rng=seed)


X_test, y_test = mg.data.make_moons(1000, 0.35, rng=1000)


def train(model, X, y, l2=0.0, steps=500):
    optimizer = mg.optim.Adam(model.parameters(), lr=0.1)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X), y) + mg.nn.l2_penalty(model, l2)
        loss.backward()
        optimizer.step()
    return model.eval()


def accuracy(model, X, y):
    return mg.training.evaluate(model, "cross_entropy", X, y)[1]


# %% [markdown]
# Each step uses all 60 points at once. `l2` is a strength that we leave at 0 for now.

# %% [markdown]
# ## Three sizes
#
# Three networks with one hidden layer, of 3, 6 and 20 tanh units, learn the same 60
# points.
#
# **Predict.** Which of them gets the most training points right? And which the most
# test points?

# %%
X, y = moons(SEED)
sizes = {}
print("units   training   test")
for units in (3, 6, 20):
    model = train(mg.nn.MLP(2, [units, 2], "tanh", rng=0), X, y)
    sizes[f"{units} units"] = model
    train_share, test_share = accuracy(model, X, y), accuracy(model, X_test, y_test)
    print(f"{units:5}   {train_share:8.1%}   {test_share:.1%}")
viz.draw_boundary(sizes, X, y, title="One hidden layer of 3, 6 and 20 units")
