# %% [markdown]
# # 9. Real data: handwritten digits
#
# So far our examples were made to show something. These were not: nearly two thousand
# digits that people wrote by hand. We go the whole way with them once, from loading to
# a network that reads digits it has never seen, and meet what lies on every such way:
# batches, optimisers, dropout, checkpoints, a report on the health of the units. At the
# end you can train a network on data of your own, and say how far its accuracy is to be
# trusted.

# %% [markdown]
# ## Pictures as numbers
#
# The digits are E. Alpaydin's and C. Kaynak's *Optical Recognition of Handwritten
# Digits*, from the UCI Machine Learning Repository (licence CC BY 4.0). They come with
# the package.

# %%
import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F
import viz
from micrograd_nn import data, nn, optim

X, y = data.load_digits()
print("X", X.shape, "from", X.min(), "to", X.max())
print("y", y.shape)
print("digit    ", *(f"{digit:4}" for digit in range(10)))
print("how often", *(f"{n:4}" for n in np.bincount(y)))

# %% [markdown]
# A row of `X` is one picture, and a column is one pixel, 0 for paper and 1 for ink. The
# network is not told which pixels are neighbours: to it a picture is a list of numbers.
# We want to see them, so here they are as characters.


# %%
def show(*pictures):
    shades = " .:-=+*#%@"
    for row in range(8):
        strips = []
        for picture in pictures:
            pixels = picture.reshape(8, 8)[row]
            strips.append("".join(shades[int(9 * ink)] * 2 for ink in pixels))
        print("   |   ".join(strips))


show(X[0], X[1], X[5])
print("labels:", y[0], y[1], y[5])

# %% [markdown]
# All pixels are on one scale, so there is nothing left to prepare. A table with metres
# in one column and millimetres in another would first need `data.standardised`, which
# gives every column the mean 0 and the standard deviation 1, as measured on the part
# that one learns from.
#
# What would it mean to have learned these digits? Here is a program that makes no
# mistake on them. It writes every picture down with its label, and looks it up.
#
# **Predict.** It writes down four fifths of the pictures. How many of the other fifth
# will it find in its book?

# %%
X_train, X_test, y_train, y_test = data.train_test_split(X, y, test_size=0.2, rng=1)
book = {picture.tobytes(): label for picture, label in zip(X_train, y_train)}

known = sum(picture.tobytes() in book for picture in X_train)
found = sum(picture.tobytes() in book for picture in X_test)
print(f"of {len(X_train)} that it wrote down it knows {known}")
print(f"of {len(X_test)} that it has not seen it knows {found}")
assert found == 0

# %% [markdown]
# None. It is perfect on what it has seen, and useless. That is why some examples are
# held back: the *training set* is there to learn from, the *test set* to ask afterwards
# whether anything was understood. The network never learns from the test set.
# `train_test_split` takes the same share of every digit, so neither part lacks one.

# %% [markdown]
# ## What a network that knows nothing loses
#
# Ten classes need ten scores, one for each digit. The network says the digit with the
# largest score. To learn we need a loss: `F.cross_entropy` turns the scores into
# probabilities by softmax, as in tutorial 3, and takes −log of the probability that the
# right digit was given.
#
# **Predict.** A network that knows nothing gives each of the ten digits the same
# probability. What is its loss, and how often is it right?

# %%
unsure = np.zeros((len(y_train), 10))
print(f"equal scores:    loss {F.cross_entropy(unsure, y_train):.4f}")
print(f"-log(1/10) is         {-np.log(1 / 10):.4f}, about {np.log(10):.1f}")


def new_network(rng=0, **options):
    return nn.MLP(64, [128, 64, 10], "relu", rng=rng, **options)


net = new_network()
loss, accuracy = mg.training.evaluate(net, "cross_entropy", X_train, y_train)
print(f"random weights:  loss {loss:.4f}, {accuracy:.0%} right")
assert abs(loss - np.log(10)) < 0.5
print(net.summary())

# %% [markdown]
# The loss is log 10, about 2.3, and it is right about as often as chance. The random
# weights add something to that, since they make the network a little sure of things
# that are not so. Compute this number for your own data: a network that begins far
# above the logarithm of the number of classes has something wrong before it learns.
#
# The network reads 64 pixels, has two hidden layers of 128 and 64 ReLU units, and ten
# outputs. Here is its computation on all the training pictures, with the loss.

# %%
title = "From pixels to the loss"
viz.draw(net, "module", X=X_train, y=y_train, direction="TB", title=title)

# %% [markdown]
# Each box is a layer: how its outputs are spread, and below it how their gradients are.
# Opened, it would show the matrix product, the bias and the ReLU of tutorial 4. This is
# the graph that `backward` walks from the loss back, as it walked the graph of single
# numbers in tutorial 1.

# %% [markdown]
# ## One loop, in full
#
# To follow the gradient of all training pictures is costly, since a step comes only
# after the last of them. So one takes a few at a time, a *batch*, in a random order;
# when all have had their turn, an *epoch* is over. Written out:

# %%
net = new_network()
optimizer = optim.SGD(net.parameters(), lr=0.1)
order = np.random.default_rng(0)

for epoch in range(3):
    total = 0.0
    for X_batch, y_batch in data.batches(X_train, y_train, 32, order):
        scores = net(X_batch)
        loss = F.cross_entropy(scores, y_batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total = total + loss.item() * len(y_batch)
    print(f"epoch {epoch + 1}: mean loss {total / len(y_train):.4f}")

# %% [markdown]
# Forward, loss, forget the old gradients, backward, step. There is nothing else in it:
# the loss is a node like any other, and the batch makes a graph that is thrown away
# after the step. `mg.fit` is this loop, with a few things around it.
#
# **Predict.** We start `fit` from the same weights, with the same order of pictures.
# How close will its weights come to ours: to a few digits, to many, or to the last bit?

# %%
fitted = new_network()
history = mg.fit(
    fitted, X_train, y_train, optimizer="sgd", lr=0.1, epochs=3, batch_size=32, rng=0,
    progress=False,
)  # fmt: skip
print("mean loss of each epoch:", np.round(history["loss"], 4))

ours, theirs = net.layers[0].weight.data, fitted.layers[0].weight.data
print("the same weights, to the last bit:", np.array_equal(ours, theirs))
assert np.array_equal(ours, theirs)

# %% [markdown]
# To the last bit. There is no secret in `fit`, and nothing random that `rng` does not
# decide.
#
# Why is it allowed to take a batch for the whole? Because its gradient is an *estimate*
# of the whole one, as a survey is of a vote. We measure how far off it is: the length
# of the difference, over the length of the whole gradient.
#
# **Predict.** If a batch has four times as many pictures, by what factor does the error
# of its gradient shrink: 4, 2, or not at all?


# %%
def gradient(X, y):
    found = mg.gradients(F.cross_entropy(net(X), y))
    return np.concatenate([found[p].ravel() for p in net.parameters()])


net = new_network()
whole = gradient(X_train, y_train)
rng, errors = np.random.default_rng(0), []
for size in (2, 8, 32, 128):
    some = [rng.integers(len(y_train), size=size) for _ in range(100)]
    guesses = [gradient(X_train[rows], y_train[rows]) for rows in some]
    off = [np.linalg.norm(g - whole) / np.linalg.norm(whole) for g in guesses]
    errors.append(np.sqrt(np.mean(np.square(off))))
    downhill = np.mean([g @ whole > 0 for g in guesses])
    print(f"{size:4} pictures: off by {errors[-1]:.2f}, downhill {downhill:.0%}")
ratios = np.divide(errors[:-1], errors[1:])
assert np.all((ratios > 1.6) & (ratios < 2.5))

# %% [markdown]
# It is halved: the error of an estimate falls with the square root of the number of
# examples, so ever larger batches pay less and less. And a poor estimate, whose error
# is as large as what it estimates, still points downhill almost always, which is all
# that a step needs. Many poor steps get further than one good one.

# %% [markdown]
# ## Three optimisers
#
# SGD steps along the gradient of this batch. *Momentum* steps along a running sum of
# the gradients so far, in which what the batches agree on adds up and their noise
# cancels. *Adam* also divides, for each weight by itself, by the usual size of its
# gradients, so that each weight moves about as far as the learning rate says.
#
# **Predict.** All three get the same weights, the same batches, eight epochs and the
# learning rate 0.01. Which two will be fast, and which slow?


# %%
def optimiser(name, net, lr):
    if name == "Adam":
        return optim.Adam(net.parameters(), lr=lr)
    momentum = 0.9 if name == "momentum" else 0.0
    return optim.SGD(net.parameters(), lr=lr, momentum=momentum)


def trained(name, lr):
    net = new_network()
    chosen = optimiser(name, net, lr)
    return mg.fit(
        net, X_train, y_train, optimizer=chosen, epochs=8, rng=0, progress=False
    )  # fmt: skip


runs = {name: trained(name, 0.01) for name in ("SGD", "momentum", "Adam")}
viz.draw_history(runs, title="The same rate, 0.01, for three optimisers")

# %% [markdown]
# SGD is far behind. Is it the worse method? The same rate does not mean the same size
# of step. Momentum of 0.9 keeps nine tenths of its sum every time, so a gradient counts
# 1 + 0.9 + 0.9² + ... = 10 times in all.
#
# **Predict.** Give each optimiser several rates. At which rate does SGD come as far as
# momentum does at 0.01?

# %%
rates = (0.001, 0.01, 0.1, 0.3)
final = {name: [trained(name, lr)["loss"][-1] for lr in rates] for name in runs}
print("loss in the eighth epoch")
print("rate     ", *(f"{lr:8g}" for lr in rates))
for name, losses in final.items():
    print(f"{name:9}", *(f"{loss:8.4f}" for loss in losses))
print("1 / (1 - 0.9) =", round(1 / (1 - 0.9)))
assert 0.8 < final["SGD"][2] / final["momentum"][1] < 1.25
assert final["SGD"][0] > 2

# %% [markdown]
# At 0.1, ten times the rate. Read the table by rows: too low a rate is slow, too high a
# rate spoils the run, and where the best one lies differs from optimiser to optimiser.
# Their best losses lie closer together than the picture made us think. So compare each
# at its best, or you compare rates.
#
# What Adam buys is less searching: its usual rate, about 0.001, works for very many
# networks. We take a little more, 0.002.

# %% [markdown]
# ## Learning and knowing
#
# Now the real run: 25 epochs, and after each one a look at the test set. A
# `HealthMonitor` watches the units meanwhile; we read its report further down.

# %%
model = new_network()
run = mg.fit(
    model, X_train, y_train, lr=0.002, epochs=25, rng=0, progress=False,
    validation_data=(X_test, y_test), callbacks=[mg.HealthMonitor()],
)  # fmt: skip
print("epoch   train loss   accuracy   test loss   accuracy")
for e in run.epochs[::6]:
    print(f"{e.epoch:5}{e.loss:13.4f}{e.accuracy:11.1%}", end="")
    print(f"{e.val_loss:12.4f}{e.val_accuracy:11.1%}")
loss, accuracy = mg.training.evaluate(model, "cross_entropy", X_test, y_test)
print(f"in the end it reads {accuracy:.1%} of {len(y_test)} new pictures")
assert accuracy > 0.97
assert loss > 4 * run["loss"][-1]
assert run["accuracy"][-1] > 0.995

# %% [markdown]
# More than 97 % of pictures that it has never seen. (Thirteen people wrote them all,
# and our split mixes these, so it knows the hands from other digits. A stranger's would
# be harder: a test tells only about data like it.)
#
# **Predict.** The loss on the training set falls and falls. What does the loss on the
# test set do? In the picture it is the dashed line, called "validation".

# %%
viz.draw_history(run, title="The whole run")

# %% [markdown]
# It falls, and then it hardly does any more. From there on the network learns the
# training pictures by heart, as the book did, which is of little use for others. The
# gap between the curves is *overfitting*. The notes' cures for it are L2 regularisation
# (tutorial 6), dropout, and noise on the inputs; not a smaller network.
#
# *Dropout* switches each hidden unit off with a probability p, anew for each picture
# and step, so that no unit can rely on a particular other one. The rest is multiplied
# by 1/(1 − p), which keeps the sum what it was on average.

# %%
drop = nn.Dropout(0.5, rng=0)
ones = np.ones(10)
print("training:  ", drop(ones))
print("and again: ", drop(ones))
print("on average:", np.mean([drop(ones) for _ in range(10_000)]).round(1))
drop.eval()
print("in use:    ", drop(ones))
assert np.array_equal(drop(ones), ones)

# %% [markdown]
# A network is told which of the two it is doing: `net.train()` turns dropout on,
# `net.eval()` off. `fit` does this for you. If you write the loop yourself and forget
# `eval()`, a part of the network is missing when you test it.
#
# Does dropout help here? We try two strengths, and weight decay, which takes a little
# off every weight in each step. Each runs on five different splits into training and
# test set, since one number would say nothing about chance.
#
# **Predict.** Which of the four reads the test set best, and which makes the larger
# difference: the method, or the split?


# %%
def compared(seed, dropout=0.0, decay=0.0):
    A, B, a, b = data.train_test_split(X, y, rng=seed)
    net = new_network(seed, dropout=dropout)
    mg.fit(
        net, A, a, optimizer="adamw", weight_decay=decay, lr=0.004, batch_size=64,
        epochs=12, rng=seed, progress=False,
    )  # fmt: skip
    return mg.training.evaluate(net, "cross_entropy", B, b)[1]


# %%
methods = {
    "nothing": {},
    "dropout 0.2": {"dropout": 0.2},
    "dropout 0.5": {"dropout": 0.5},
    "weight decay": {"decay": 0.1},
}
grid = np.array([[compared(k, **m) for k in range(5)] for m in methods.values()])
print("split       ", *(f"{k:7}" for k in range(5)), "   mean")
for name, found in zip(methods, grid):
    print(f"{name:12}", *(f"{v:7.1%}" for v in (*found, found.mean())))

# %%
between_methods = np.ptp(grid.mean(axis=1))
between_splits = np.ptp(grid.mean(axis=0))
print(f"means of the methods lie within {between_methods:.1%},")
print(f"means of the splits within      {between_splits:.1%};")
print(f"one picture is                  {1 / len(y_test):.1%}")
assert between_splits > between_methods

# %% [markdown]
# The split does. Down a column, on one and the same test set, the four differ by a few
# pictures; along a row, one and the same method differs by more, because some test sets
# hold harder pictures. The notes recommend dropout and L2 against overfitting. Here
# they change so little that one test set of this size could not tell, and the stronger
# dropout, if anything, does harm.
#
# Two habits follow. Give an accuracy with its spread over splits or seeds. And do not
# choose the best of many runs by the test set: who does so has trained on it. For
# choosing, hold back a third part, the *validation set*.

# %% [markdown]
# ## What it gets wrong
#
# The accuracy is one number. Which mistakes were made says more.

# %%
with mg.no_grad():
    scores = model(X_test).data
said = scores.argmax(axis=1)
wrong = np.flatnonzero(said != y_test)

table = np.zeros((10, 10), int)
np.add.at(table, (y_test, said), 1)
print("is \\ said" + "".join(f"{k:4}" for k in range(10)))
for digit, row in enumerate(table):
    print(f"{digit:9}" + "".join(f"{n:4}" if n else "   ." for n in row))
print(f"wrong: {len(wrong)} of {len(y_test)}")
assert table.trace() == len(y_test) - len(wrong)

# %% [markdown]
# A row is a digit, a column what the network said; on the diagonal it is right. This is
# called a *confusion matrix*. Here are two of the pictures that it got wrong.

# %%
show(X_test[wrong[0]], X_test[wrong[1]])

# %% [markdown]
# **Predict.** Which digits do you read? And how sure of itself do you think the network
# was, when it was wrong?

# %%
print("label  said  probability of it  of the label")
for i in wrong:
    p = F.softmax(scores[i])
    print(f"{y_test[i]:5} {said[i]:5} {p[said[i]]:18.0%} {p[y_test[i]]:13.0%}")
assert max(F.softmax(scores[i]).max() for i in wrong) > 0.7

# %% [markdown]
# On pictures of so few pixels people stumble too. But people would say that they are
# not sure. A network that has trained until its training loss is almost 0 has learned
# to be sure, and at least once it is so where it is wrong. Such a picture costs much in
# cross-entropy, and so a test loss can rise while the test accuracy stays.

# %% [markdown]
# ## Reading the health report
#
# `HealthMonitor` has looked at the network after each epoch. Here is what it found
# after the last one. It has three tables; let us read the first, on the units.

# %%
report = run.health[-1]
units, gradients, updates = str(report).split("\n\n")[:3]
print(units)

# %% [markdown]
# A row is a hidden layer. *Dead* units gave nothing above 0 on any of the examples it
# looked at. *Dormant* ones hardly speak, compared with their layer. *Saturated* is for
# curves that go flat, and a ReLU never counts. The *on-rate* is the share of examples
# on which a unit is above 0; somewhere in the middle is what one wants of a ReLU: a
# unit that is always on is a linear one, and one that is never on is dead.

# %%
print(gradients)

# %% [markdown]
# The second table follows the loss backwards. Look down the column "mean |g|": between
# the layers it should not shrink or grow by many powers of ten. "vanishing",
# "exploding" and "nan or inf" are the verdicts to worry about. Zeros are gradients that
# are exactly 0: behind a dead unit all are.

# %%
import textwrap

print(updates)
for finding in report.findings:
    print("\n" + textwrap.fill(finding, 88))

# %% [markdown]
# The third has, for each parameter, how large the last step was beside the weights
# themselves, in powers of ten: −3 means a thousandth, which a common rule of thumb
# calls healthy. Far above it a step throws away what was learned; far below, nothing
# moves.
#
# At the end come findings, in sentences. Even this good network may get one, because
# some of its units have died. A report is no verdict: it says what to look at, and the
# test accuracy says whether it matters. Here is the same as a picture.

# %%
viz.draw_health(report, title="Adam at 0.002: after the last epoch")

# %% [markdown]
# A cell is a unit, darker if it is on more often, and a cross marks a dead one.
#
# **Predict.** Now the same network with Adam at 0.1, fifty times our rate. Which of the
# tables will give it away?

# %%
bad = new_network()
bad_run = mg.fit(
    bad, X_train, y_train, lr=0.1, epochs=6, rng=0, progress=False,
    callbacks=[mg.HealthMonitor()],
)  # fmt: skip
bad_report = bad_run.health[-1]
units, gradients, updates = str(bad_report).split("\n\n")[:3]
print(units, gradients, updates, sep="\n\n")

dead = sum(layer.dead.sum() for layer in bad_report.layers) / (128 + 64)
print(f"\n{0.1 / 0.002:.0f} times the rate, {dead:.0%} of the hidden units dead")
assert dead > 0.6 > 0.4  # the notes say as much as 40 %

# %% [markdown]
# The first, above all: more than 60 % of the units are dead. The notes say that as much
# as 40 % can die when the learning rate is too high; it can be worse. In the second,
# most entries of the gradient are exactly 0. No verdict calls it vanishing, since what
# still gets through is large. The third looks at the last step only, and the harm was
# done by the first ones, as the next picture shows.

# %%
viz.draw_health(bad_run, title="Adam at 0.1: when the units died")

# %% [markdown]
# A row is a unit, epochs go from left to right, and what is hatched is dead. Most units
# died in the first epoch: large steps carried them to where no example turns them on.
# Their gradient is 0 now, so no step of their own brings them back. (One of the second
# layer may return, when the first layer, which it reads, still changes.)

# %% [markdown]
# ## Stopping and going on
#
# Long runs get interrupted. `fit(..., checkpoint=FILE)` writes down after each epoch
# what is needed to go on, and `resume=True` goes on from there.
#
# **Predict.** Apart from the weights, what must be in that file, if the run is to end
# with the same numbers as one that was never stopped? (We use dropout, to make it
# harder.)

# %%
import tempfile
from pathlib import Path


def some_epochs(epochs, **keep):
    net, settings = new_network(dropout=0.2), {"batch_size": 64, "rng": 7}
    settings |= {"epochs": epochs, "progress": False}
    return net, mg.fit(net, X_train, y_train, **settings, **keep)


straight, history = some_epochs(5)
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "run.npz"
    some_epochs(2, checkpoint=file)
    stopped, its_history = some_epochs(5, checkpoint=file, resume=True)
    kept = mg.checkpoint.load(file)
print("the last two losses")
print("in one go:          ", *history["loss"][-2:])
print("stopped and resumed:", *its_history["loss"][-2:])

# %% [markdown]
# Every digit is the same. Let us look at the weights too, and at what the file holds.

# %%
print(textwrap.fill(", ".join(kept), 80))
assert its_history["loss"] == history["loss"]
for a, b in zip(straight.parameters(), stopped.parameters()):
    assert np.array_equal(a.data, b.data)

# %% [markdown]
# The weights agree to the last bit. The optimiser's memory must be kept (Adam's running
# means), and the state of each random generator: that of the order of the pictures, and
# those of dropout. With the weights alone one can go on as well, but it would be
# another run.
#
# To *use* a network the weights are enough. `state_dict()` gives them by name.

# %%
with tempfile.TemporaryDirectory() as folder:
    mg.checkpoint.save(Path(folder) / "weights.npz", model.state_dict())
    weights = mg.checkpoint.load(Path(folder) / "weights.npz")

for name, array in weights.items():
    print(f"{name:17} {array.shape}")
reader = new_network(rng=99)
reader.load_state_dict(weights)
print("the same scores:", np.array_equal(reader(X_test).data, model(X_test).data))
assert np.array_equal(reader(X_test).data, model(X_test).data)

# %% [markdown]
# ## All of it in one command
#
# In a terminal, `micrograd-nn train` does all this with the digits: it splits, trains,
# tests, prints the health report, and leaves a folder, `runs/digits-1`, with the
# weights, the history, the settings, a picture of the graph, and a checkpoint to go on
# from. `--dropout`, `--optimizer`, `--lr` and the rest are what you have met here, and
# `--help` lists them. `micrograd-nn train --data FILE.csv --target COLUMN` takes a
# table of your own, and puts its columns on one scale.
#
# Of a run that is saved, `micrograd-nn health runs/digits-1` measures the units again,
# and `micrograd-nn draw runs/digits-1` draws the graph.

# %% [markdown]
# ## What you have seen
#
# - A test set tells learning from remembering. Its size limits what it can tell.
# - A network that knows nothing loses the logarithm of the number of classes.
# - The training loop has five lines. `fit` runs the same ones, to the last bit.
# - A batch's gradient is an estimate, and its error falls with the square root of the
#   size.
# - Every optimiser has its own range of rates; compare each at its best.
# - Dropout works in training only. Here it made less difference than the split did.
# - A health report says which units and layers to look at, and why.
#
# In all this the units stood in layers. Tutorial 10 asks what happens if they do not.

# %% [markdown]
# ## Exercises
#
# 1. Put a table on one scale, with what the training part alone can tell.
# 2. Count mistakes: the confusion matrix of a classifier.
# 3. Dropout, with NumPy, as it works in training and in use.
# 4. The training loop, written by you. It has to agree with `fit` to the last bit.
#
# Copy them with `micrograd-nn tutorial 9 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_09.py`, and ask
# `pytest -m tutorial_9` how you did.
