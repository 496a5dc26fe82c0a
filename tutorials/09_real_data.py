# %% [markdown]
# # 9. Real data: handwritten digits
#
# A network learns to read handwritten digits, from loading the pictures to a test on
# new ones. Until now our data were made to show something; these were written by
# people. On the way we meet what lies on every such way: batches, optimisers, dropout,
# a report on the health of the units, checkpoints. At the end you can train a network
# on data of your own, and say how far its accuracy is to be trusted.

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
            inks = picture.reshape(8, 8)[row]
            strips.append("".join(shades[int(9 * i)] * 2 for i in inks))
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
parts = data.train_test_split(X, y, test_size=0.2, rng=1)
X_train, X_test, y_train, y_test = parts
book = {x.tobytes(): label for x, label in zip(X_train, y_train)}

known = sum(x.tobytes() in book for x in X_train)
found = sum(x.tobytes() in book for x in X_test)
print(f"of {len(X_train)} that it wrote down it knows {known}")
print(f"of {len(X_test)} that it has not seen it knows {found}")
assert found == 0

# %% [markdown]
# None: no two pictures are equal to the last pixel. The book is perfect on what it has
# seen, and useless. That is why some examples are held back: the *training set* is
# there to learn from, the *test set* to ask afterwards whether anything was understood.
# The network never learns from the test set. `train_test_split` takes the same share of
# every digit, so neither part lacks one.

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
print(f"log(10) is            {np.log(10):.4f}, about {np.log(10):.1f}")


def new_network(rng=0, **options):
    return nn.MLP(64, [128, 64, 10], "relu", rng=rng, **options)


def measured(net, X, y):
    return mg.training.evaluate(net, "cross_entropy", X, y)


net = new_network()
loss, accuracy = measured(net, X_train, y_train)
print(f"random weights:  loss {loss:.4f}, {accuracy:.0%} right")
assert abs(loss - np.log(10)) < 0.5
print(net.summary())

# %% [markdown]
# The loss is −log(1/10), which is log 10, about 2.3 (the logarithm to the base e), and
# it is right once in ten, by chance. Random weights add something to that, since they
# make the network a little sure of things that are not so. Compute this number for your
# own data: a network that begins far above the logarithm of the number of classes has
# something wrong before it learns.
#
# Here is the computation on all the training pictures. Each box is a layer, with its
# product, bias and ReLU folded into it, and shows how its outputs are spread. This
# graph is what `backward` walks, from the loss back, as it walked that of single
# numbers in tutorial 1.

# %%
title = "From pixels to the loss"
inside = {"X": X_train, "y": y_train, "gradients": False}
viz.draw(net, "module", direction="TB", title=title, **inside)

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
once = {"optimizer": "sgd", "lr": 0.1, "epochs": 3, "rng": 0}
once["progress"] = False
fitted = new_network()
history = mg.fit(fitted, X_train, y_train, batch_size=32, **once)
print("mean loss of each epoch:", np.round(history["loss"], 4))

ours, theirs = net.layers[0].weight.data, fitted.layers[0].weight.data
print("the same weights, to the last bit:", np.array_equal(ours, theirs))
assert np.array_equal(ours, theirs)

steps = -(-len(y_train) // 32)  # rounded up: the last batch is smaller
slow = mg.fit(new_network(), X_train, y_train, batch_size=1438, **once)
print(f"one step an epoch in place of {steps}:", np.round(slow["loss"], 4))
assert slow["loss"][-1] > 3 * history["loss"][-1]

# %% [markdown]
# To the last bit. There is no secret in `fit`, and nothing random that `rng` does not
# decide. The last line is a run that takes all pictures in one batch. It looks at as
# many of them, makes one step where the other makes 45, and gets nowhere near.
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
    off = [np.linalg.norm(guess - whole) for guess in guesses]
    error = np.sqrt(np.mean(np.square(off))) / np.linalg.norm(whole)
    down = np.mean([guess @ whole > 0 for guess in guesses])
    print(f"{size:4} pictures: off by {error:.2f}, {down:.0%} downhill")
    errors.append(error)
ratios = np.divide(errors[:-1], errors[1:])
assert np.all((ratios > 1.6) & (ratios < 2.5))

# %% [markdown]
# It is halved: the error of an estimate falls with the square root of the number of
# examples, so ever larger batches pay less and less. *Downhill* counts the batches
# whose step, if it is small enough, lowers the loss of all pictures. A poor estimate,
# whose error is as large as what it estimates, is still downhill almost always. So many
# poor steps get further than a few good ones.

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
    more = {"optimizer": optimiser(name, net, lr), "progress": False}
    return mg.fit(net, X_train, y_train, epochs=8, rng=0, **more)


runs = {name: trained(name, 0.01) for name in ("SGD", "momentum", "Adam")}
assert runs["SGD"]["loss"][-1] > 3 * runs["momentum"]["loss"][-1]
title = "The same rate, 0.01, for three optimisers"
viz.draw_history(runs, panels=["loss"], title=title)

# %% [markdown]
# SGD is far behind. Is it the worse method? The same rate does not mean the same size
# of step: momentum of 0.9 keeps nine tenths of its sum from one step to the next, so it
# goes on using a gradient for many steps.
#
# **Predict.** Give each optimiser several rates. At which rate does SGD come as far as
# momentum does at 0.01: at 0.03, 0.1 or 0.3?

# %%
rates = (0.001, 0.01, 0.03, 0.1, 0.3)
print("loss in the eighth epoch")
print("rate     ", *(f"{lr:8g}" for lr in rates))
final = {}
for name in runs:
    final[name] = [trained(name, lr)["loss"][-1] for lr in rates]
    print(f"{name:9}", *(f"{loss:8.4f}" for loss in final[name]))
counts = sum(0.9**k for k in range(1000))
print(f"1 + 0.9 + 0.9² + ... = {counts:.0f}")
assert 0.8 < final["SGD"][3] / final["momentum"][1] < 1.25
assert final["SGD"][0] > 2

# %% [markdown]
# At 0.1. A gradient stays in the sum with nine tenths, then nine tenths of that, and
# so on: it counts 10 times in all. Read the table by rows: too low a rate is slow, too
# high a rate spoils the run, and where the best one lies differs from optimiser to
# optimiser. Their best losses lie closer together than the picture made us think. So
# compare each at its best, or you compare rates.
#
# What Adam buys is less searching: its usual rate, about 0.001, works for very many
# networks. We take a little more, 0.002.

# %% [markdown]
# ## Learning and knowing
#
# Now the real run: 25 epochs, and after each one a look at the test set. A
# `HealthMonitor` watches the units meanwhile; we read its report further down.
#
# **Predict.** The loss on the training set will fall and fall. What will the loss on
# the test set do: fall with it, stop somewhere, or rise?

# %%
model = new_network()
monitor = mg.HealthMonitor(X=X_train)
run = mg.fit(
    model, X_train, y_train, lr=0.002, epochs=25, rng=0, progress=False,
    validation_data=(X_test, y_test), callbacks=[monitor],
)  # fmt: skip
print("epoch   train loss   accuracy   test loss   accuracy")
for e in run.epochs[::6]:
    print(f"{e.epoch:5}{e.loss:13.4f}{e.accuracy:11.1%}", end="")
    print(f"{e.val_loss:12.4f}{e.val_accuracy:11.1%}")
loss, accuracy = measured(model, X_test, y_test)
print(f"in the end it reads {accuracy:.1%} of {len(y_test)} new pictures")
assert accuracy > 0.97
assert loss > 4 * run["loss"][-1]
assert run["accuracy"][-1] > 0.995

# %% [markdown]
# It falls at first, and then hardly any more; in the end it is more than 4 times the
# training loss. The network reads more than 97 % of pictures that it has never seen.
# (Thirteen people wrote them all, and our split mixes these, so it knows the hands from
# other digits. A stranger's would be harder: a test tells only about data like it.)
#
# Here are all the epochs. The dashed line, "validation", is the test set.

# %%
viz.draw_history(run, panels=["loss", "accuracy"], title="The whole run")

# %% [markdown]
# Where the two lines part, *overfitting* begins (tutorial 6): what is learned from
# there on is mostly about the training pictures, and of little use for others. The
# notes' means against it are L2 regularisation, dropout, and noise on the inputs; not a
# smaller network.
#
# *Dropout* switches each hidden unit off with a probability p, anew for each picture
# and step, so that no unit can rely on a particular other one. The rest is multiplied
# by 1/(1 − p), which keeps the sum what it was on average.

# %%
drop = nn.Dropout(0.5, rng=0)
ones = np.ones(10)
print("training:  ", drop(ones))
print("and again: ", drop(ones))
many = [drop(ones) for _ in range(10_000)]
print("on average:", np.mean(many).round(1))
drop.eval()
print("in use:    ", drop(ones))
assert np.array_equal(drop(ones), ones)

# %% [markdown]
# A network is told which of the two it is doing: `net.train()` turns dropout on,
# `net.eval()` off. `fit` does this for you. If you write the loop yourself and forget
# `eval()`, a part of the network is missing when you test it.
#
# Does dropout help here? We try two strengths, and weight decay, the forgetting of
# tutorial 3. Each runs on five different splits into training and test set, since one
# number would say nothing about chance.
#
# **Predict.** Which of the four reads the test set best, and which makes the larger
# difference: the method, or the split?


# %%
def compared(seed, dropout=0.0, decay=0.0):
    A, B, a, b = data.train_test_split(X, y, test_size=0.2, rng=seed)
    net = new_network(seed, dropout=dropout)
    how = {"optimizer": "adamw", "weight_decay": decay, "lr": 0.004}
    how |= {"batch_size": 64, "epochs": 12, "progress": False}
    mg.fit(net, A, a, rng=seed, **how)
    return measured(net, B, b)[1]


methods = {"nothing": {}, "dropout 0.2": {"dropout": 0.2}}
methods |= {"dropout 0.5": {"dropout": 0.5}, "weight decay": {"decay": 0.1}}
print("split       ", *(f"{k:7}" for k in range(5)), "   mean")
grid = []
for name, method in methods.items():
    grid.append([compared(k, **method) for k in range(5)])
    row = (*grid[-1], np.mean(grid[-1]))
    print(f"{name:12}", *(f"{value:7.1%}" for value in row))

# %%
by_method = np.ptp(np.mean(grid, axis=1))
by_split = np.ptp(np.mean(grid, axis=0))
print(f"means of the methods lie within {by_method:.1%},")
print(f"means of the splits within      {by_split:.1%};")
print(f"one picture is                  {1 / len(y_test):.1%}")
assert by_split > by_method

# %% [markdown]
# The split does. Down a column, on one and the same test set, the four differ by a few
# pictures; along a row, one and the same method differs by more, because some test sets
# hold harder pictures. The notes recommend dropout and L2 against overfitting, and in
# tutorial 6, with few and noisy points, they helped. Here they change so little in 12
# epochs that one test set of this size could not tell.
#
# Two habits follow. Give an accuracy with its spread over splits or seeds. And do not
# choose the best of many runs by the test set: who does so has trained on it. For
# choosing, hold back a third part, the *validation set*.

# %% [markdown]
# ## What it gets wrong
#
# The accuracy is one number. Which mistakes were made says more. In this table, a
# *confusion matrix*, a row is a digit and a column what the network said; on the
# diagonal it is right. Below it are two of the pictures that it got wrong.

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
print(f"wrong: {len(wrong)} of {len(y_test)}\n")
assert table.trace() == len(y_test) - len(wrong)
show(X_test[wrong[0]], X_test[wrong[1]])

# %% [markdown]
# **Predict.** Which digits do you read? And how sure of itself do you think the network
# was, when it was wrong?

# %%
print("label  said  probability of it  of the label")
for i in wrong:
    p, label = F.softmax(scores[i]), y_test[i]
    print(f"{label:5} {said[i]:5} {p[said[i]]:18.0%} {p[label]:13.0%}")
assert max(F.softmax(scores[i]).max() for i in wrong) > 0.7

# %% [markdown]
# On pictures of so few pixels people stumble too. But people would say that they are
# not sure. A network that has trained until its training loss is almost 0 has learned
# to be sure, and at least once it is so where it is wrong. Such a picture costs much in
# cross-entropy, and so a test loss can rise while the test accuracy stays.

# %% [markdown]
# ## Reading the health report
#
# The monitor has looked at the network after each epoch, at its units on all the
# training pictures. `print(run.health[-1])` shows its last report in full. We print the
# columns that one looks at first: of the units, a row a hidden layer; of the gradients,
# a row a parameter.


# %%
def tell(report):
    print("layer      units  dead  dormant  saturated  on-rate")
    for layer in report.layers:
        counts = f"{layer.dead.sum():6}{layer.dormant.sum():9}"
        counts += f"{layer.saturated.sum():11}{layer.on_rate.mean():9.0%}"
        print(f"{layer.name:10}{len(layer):6}{counts}")
    print("\nparameter         mean |g|  zeros  verdict  update ratio")
    for g in report.gradients:
        if g.kind == "parameter":
            ratio = report.updates[g.name]
            row = f"{g.name:17}{g.mean_abs:9.1e}{g.zeros:7.0%}"
            print(f"{row}  {g.verdict:7}{ratio:14.1f}")
    print(f"healthy{np.log10(0.001):48.0f}")


report = run.health[-1]
tell(report)

# %% [markdown]
# *Dead* units are above 0 for none of the training pictures. *Dormant* ones hardly
# speak, compared with their layer; *saturated* is for curves that go flat. The
# *on-rate* is the share of pictures for which a unit is above 0: a unit that is always
# on is a linear one, and one that is never on is dead.
#
# Go up the column "mean |g|", as the gradient does: from layer to layer it should not
# shrink or grow by many powers of ten. Zeros are exact: behind a dead unit all are. The
# *update ratio* says how large the last step was beside the weights, in powers of ten:
# −3 means a thousandth, which is healthy. Far above it a step throws away what was
# learned; far below, nothing moves.

# %%
import textwrap

for finding in report.findings:
    print(textwrap.fill(finding, 76))
viz.draw_health(report, title="Adam at 0.002: after the last epoch")

# %% [markdown]
# The report ends with findings, in sentences. Even this good network may get one, as
# some of its units have died. A report is no verdict: it says what to look at, and the
# test accuracy says whether it matters. In the picture a cell is a unit, darker if it
# is on more often, and a cross marks a dead one.
#
# **Predict.** Now the same network with Adam at 0.1, fifty times our rate. Which of the
# columns will give it away?

# %%
bad = new_network()
monitor = mg.HealthMonitor(X=X_train)
bad_run = mg.fit(
    bad, X_train, y_train, lr=0.1, epochs=6, rng=0, progress=False,
    callbacks=[monitor],
)  # fmt: skip
tell(bad_run.health[-1])

dead = [sum(h.dead.sum() for h in r.layers) for r in bad_run.health]
print(f"\n{0.1 / 0.002:.0f} times the rate; of {128 + 64} hidden units")
print("dead after each epoch:", *dead)
share = dead[-1] / (128 + 64)
print(f"in the end {share:.0%}; the notes: as much as {0.4:.0%}")
assert share > 0.6
assert dead[0] > 0.7 * dead[-1]

# %% [markdown]
# The dead, above all: more than 60 % of the units. The notes say that as much as 40 %
# can die when the learning rate is too high; it can be worse. Most entries of the
# gradient are exactly 0, too. No verdict calls it vanishing, since what still gets
# through is large. The update ratio is of the last step only, and the harm was done
# before: most of these units died in the first epoch. Large steps carried them to where
# no picture turns them on, and no step of their own brings them back.

# %% [markdown]
# ## Stopping and going on
#
# Long runs get interrupted. `fit(..., checkpoint=FILE)` writes down after each epoch
# what is needed to go on, and `resume=True` goes on from there. We stop after two
# epochs of five. To make it harder, there is dropout.
#
# **Predict.** Apart from the weights, what must be in that file, if the run is to end
# with the same numbers as one that was never stopped?

# %%
import tempfile
from pathlib import Path


def some_epochs(epochs, **keep):
    net = new_network(dropout=0.2)
    settings = {"epochs": epochs, "rng": 7, "progress": False}
    return net, mg.fit(net, X_train, y_train, **settings, **keep)


straight, history = some_epochs(5)
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "run.npz"
    some_epochs(2, checkpoint=file)
    stopped, resumed = some_epochs(5, checkpoint=file, resume=True)
    kept = mg.checkpoint.load(file)
print("in one go:          ", *history["loss"][-2:])
print("stopped and resumed:", *resumed["loss"][-2:])
for a, b in zip(straight.parameters(), stopped.parameters()):
    assert np.array_equal(a.data, b.data)
print("in the file:", textwrap.fill(", ".join(kept), 60))

# %% [markdown]
# Every digit of the last two losses is the same, and so are the weights, to the last
# bit. The optimiser's memory must be kept (Adam's running means), and the state of each
# random generator: that of the order of the pictures, and those of dropout. With the
# weights alone one can go on as well, but it would be another run.
#
# To *use* a network the weights are enough. `state_dict()` gives them by name.

# %%
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "weights.npz"
    mg.checkpoint.save(file, model.state_dict())
    weights = mg.checkpoint.load(file)

for name, array in weights.items():
    print(f"{name:17} {array.shape}")
reader = new_network(rng=99)
reader.load_state_dict(weights)
same = np.array_equal(reader(X_test).data, model(X_test).data)
print("the same scores:", same)
assert same

# %% [markdown]
# ## All of it in one command
#
# In a terminal, `micrograd-nn train` goes the same way with the digits: it splits,
# trains, tests, prints the health of the units, and leaves a folder, `runs/digits-1`,
# with the weights, the history, the settings, a picture of the graph, and a checkpoint
# to go on from. `--dropout`, `--optimizer`, `--lr` and the rest are what you have met
# here, and `--help` lists them. `micrograd-nn train --data FILE.csv --target COLUMN`
# takes a table of your own, and puts its columns on one scale.
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
