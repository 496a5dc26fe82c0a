# %% [markdown]
# # 4. Layers are matrices
#
# Neurons that look at the same inputs form a layer, and the weights of a layer form a
# matrix. Then a whole layer is one product, and a network is a few of them, one after
# another. Here we write networks in that way, count what is in them, run the notes' own
# code on our Tensors, and see why nobody computes a network number by number.

# %% [markdown]
# ## A linear classifier
#
# A colour image of 32 by 32 points has three numbers a point, for red, green and blue.
# Written as one long column it is a vector x. We want a score for each of 10 classes,
# so we need 10 neurons, and each has a weight for every number of the image. Put their
# weights into the rows of a matrix W: then all the scores are s = W x.
#
# **Predict.** How many numbers does x hold, and what is the shape of W?

# %%
import numpy as np

rng = np.random.default_rng(0)
image = rng.uniform(size=(32, 32, 3))  # random numbers in the place of a photograph
x = image.reshape(-1, 1)
W = rng.normal(scale=0.01, size=(10, 3072))
s = W @ x
print("x", x.shape, " W", W.shape, " s", s.shape)
print(f"{W.size:,} weights")

neuron_3 = np.sum(W[3] * x[:, 0])
print(f"score 3: {s[3, 0]:.6f}, by neuron 3 alone: {neuron_3:.6f}")
assert np.isclose(s[3, 0], neuron_3, rtol=1e-12)

# %% [markdown]
# 32·32·3 = 3072 numbers. So x is 3072x1, W is 10x3072 and s is 10x1. `@` is NumPy's
# sign for the product of matrices: entry i of W x is row i of W times x, number by
# number, added up. That is what a neuron does, without bias and activation. So row 3 of
# W is neuron 3, as the last line shows.

# %% [markdown]
# ## Two layers, and three
#
# With two matrices we have a 2-layer network: s = W2 max(0, W1 x). W1 makes 100 numbers
# of the image, max(0, ·) is the ReLU of tutorial 2, applied to each of them, and W2
# makes the scores of these. A third matrix goes on the left in the same way: s = W3
# max(0, W2 max(0, W1 x)). (Below, the new matrices of that network are V2 and V3, as W2
# is in use already.)

# %%
W1 = rng.normal(scale=0.01, size=(100, 3072))
W2 = rng.normal(scale=0.1, size=(10, 100))
s = W2 @ np.maximum(0, W1 @ x)
print("2 layers:", W1.shape, W2.shape, "scores", s.shape)

V2 = rng.normal(scale=0.1, size=(50, 100))
V3 = rng.normal(scale=0.1, size=(10, 50))
s = V3 @ np.maximum(0, V2 @ np.maximum(0, W1 @ x))
print("3 layers:", W1.shape, V2.shape, V3.shape, "scores", s.shape)

# %% [markdown]
# A row for each number that comes out, a column for each that goes in: so neighbours
# must agree. W1 is 100x3072 and W2 10x100. The sizes in between, here 100 and 50, are
# ours to choose. How such matrices are learned you know: a loss, the chain rule, and
# stochastic gradient descent, as for one neuron.

# %% [markdown]
# ## Why the bend is needed
#
# What is max(0, ·) for? Let us leave it out.
#
# **Predict.** Is there a single matrix that gives the same scores as W2 (W1 x), for
# every x? If so, of what shape?

# %%
collapsed = W2 @ W1
print("W2 @ W1 has the shape", collapsed.shape)
for _ in range(5):
    x = rng.uniform(size=(3072, 1))
    assert np.allclose(collapsed @ x, W2 @ (W1 @ x), rtol=1e-9)

bent = W2 @ np.maximum(0, W1 @ x)
print("one matrix ", (collapsed @ x)[:4, 0].round(4))
print("two        ", (W2 @ (W1 @ x))[:4, 0].round(4))
print("with max(0)", bent[:4, 0].round(4))

# %% [markdown]
# There is: 10x3072, the shape of the linear classifier that we began with. Products of
# matrices may be grouped as one likes, so W2 (W1 x) = (W2 W1) x. Without something bent
# between them, any number of layers *collapse* into one, and the scores are linear in x
# again. It is the activation that makes a second layer worth having.
#
# **Predict.** Here are two networks of the same three layers, trained on the moons of
# tutorial 3, one without an activation. What will its boundary look like?

# %%
import micrograd_nn as mg
import viz

X, y = mg.data.make_moons(100, 0.1, rng=0)
networks = {}
for activation in ("identity", "relu"):
    model = mg.nn.MLP(2, [16, 16, 2], activation, rng=0)
    mg.fit(model, X, y, lr=0.02, epochs=60, rng=0, progress=False)
    networks[f"2 → 16 → 16 → 2, {activation}"] = model
viz.draw_boundary(networks, X, y, title="Three layers, without and with a bend")

# %% [markdown]
# A straight line, as one neuron draws it, for all its 16 and 16 units: its three
# matrices have collapsed into one, and where two scores that are linear in x are equal,
# there lies a line. The ReLU lets the same sizes follow the moons.

# %% [markdown]
# ## Names, and how one counts
#
# A *fully connected* layer connects each of its neurons with each of the layer before,
# and no two within the layer. Neurons are also called *units*. A network of such layers
# is a *multilayer perceptron*, MLP, or by an older name an artificial neural network,
# ANN. The last layer is the *output layer*, and those before it are *hidden*.
#
# An *N-layer network* does not count its inputs: they compute nothing. So logistic
# regression and the SVM of tutorial 3 have a single layer.
#
# **Predict.** Three inputs, a hidden layer of four, two outputs. How many layers, how
# many neurons, and how many parameters, with a bias for each neuron?

# %%
small = mg.nn.MLP(3, [4, 2], "sigmoid", rng=0)
print(small.summary())
size = small.summary()
assert (size.units, size.weights, size.biases) == (4 + 2, 3 * 4 + 4 * 2, 4 + 2)
assert size.parameters == 26

# %% [markdown]
# Two layers, 6 neurons, 20 weights and 6 biases: 26 parameters. If you found 9 neurons,
# you counted the inputs as well; if you found 20 parameters, you left out the biases.
#
# **Predict.** Now 3 → 4 → 4 → 1. How many edges will the picture have between its
# columns, and how many parameters does the network have?

# %%
model = mg.nn.MLP(3, [4, 4, 1], "sigmoid", rng=0)
size = model.summary()
print(f"{size.units} neurons, {size.weights} weights + {size.biases} biases")
print(f"{size.parameters} parameters")
assert size.weights == 3 * 4 + 4 * 4 + 4 * 1 == 32
assert (size.units, size.biases, size.parameters) == (9, 9, 41)
viz.draw_network(model, title="3 → 4 → 4 → 1")

# %% [markdown]
# A weight is an edge: 12 + 16 + 4 = 32 of them, and with 9 biases there are 41
# parameters. Look for the rule in the picture: all pairs across neighbouring columns,
# none within a column, none that skips one. We can also ask the wiring itself.

# %%
wiring = viz.to_networkx(model)
layer = {}
for node in wiring:
    before = [layer[parent] for parent in wiring.predecessors(node)]
    layer[node] = 1 + max(before, default=-1)

steps = {layer[head] - layer[tail] for tail, head in wiring.edges}
sizes = [list(layer.values()).count(k) for k in range(4)]
print("units a column:", sizes, " edges:", wiring.number_of_edges())
print("columns that an edge goes on:", steps)
assert sizes == [3, 4, 4, 1]
assert steps == {1}
assert wiring.number_of_edges() == 32

# %% [markdown]
# The picture says "linear" over the last column. An output layer usually has no
# activation: its numbers are scores, which may be of any size, or real numbers that are
# to be met. Suppose that these targets lie between −3 and 3.
#
# **Predict.** How near can an output come to them with no activation, with a ReLU, and
# with a sigmoid?

# %%
target = np.linspace(-3.0, 3.0, 7)
print("target       ", target)
reach = {"none": (-np.inf, np.inf), "relu": (0, np.inf), "sigmoid": (0, 1)}
for activation, (low, high) in reach.items():
    best = np.clip(target, low, high)
    print(f"{activation:13} {best}   worst miss {np.abs(best - target).max()}")

# %% [markdown]
# A ReLU misses −3 by 3.0, and so does a sigmoid, which cannot reach the upper half
# either. What turns scores into probabilities is part of the loss, as in tutorial 3.

# %% [markdown]
# ## The forward pass, as the notes write it
#
# To compute a network from its inputs is its *forward pass*. The notes write that of
# 3 → 4 → 4 → 1 in a few lines of NumPy: x is a column of three numbers, each layer a
# matrix and a column of biases, and f the sigmoid.


# %%
def forward(x, W1, b1, W2, b2, W3, b3):
    f = lambda x: 1.0 / (1.0 + np.exp(-x))
    h1 = f(np.dot(W1, x) + b1)
    h2 = f(np.dot(W2, h1) + b2)
    return np.dot(W3, h2) + b3


shapes = [(4, 3), (4, 1), (4, 4), (4, 1), (1, 4), (1, 1)]
arrays = [rng.normal(size=shape) for shape in shapes]
x = rng.normal(size=(3, 1))
print("out", forward(x, *arrays).round(4))
print("parameters", sum(array.size for array in arrays))

# %% [markdown]
# `np.dot` is the product again. On arrays, the result is numbers that remember nothing.
# A `Tensor` is to an array what a Value is to a number: it holds one, and remembers
# what it was made from.
#
# **Predict.** We hand the very same function Tensors, and no line of it is changed.
# What will `np.dot` and `np.exp` make of them?

# %%
names = ["W1", "b1", "W2", "b2", "W3", "b3"]
tensors = [mg.Tensor(array, requires_grad=True) for array in arrays]
for tensor, name in zip(tensors, names):
    tensor.name = name

out = forward(mg.Tensor(x, name="x"), *tensors)
out.name = "out"
out.backward()
print("out", out.data.round(4), "made by", out.op.name)
for tensor in tensors:
    print(f"{tensor.name}: shape {tensor.shape}, gradient {tensor.grad.shape}")
assert np.allclose(out.data, forward(x, *arrays), rtol=1e-12)

# %% [markdown]
# They make Tensors: NumPy asks an object that it does not know whether it has a better
# idea, and ours has. So the notes' code gives gradients, each of the shape of what it
# belongs to. Let us look at where it begins, the node that b1 goes into.

# %%
b1 = tensors[1]
order = mg.topological_order(out)
z1 = next(node for node in order if any(parent is b1 for parent in node.parents))
z1.name = "z1"
viz.draw(z1, title="In the notes' first layer: z1 = W1 x + b1")

# %% [markdown]
# It is the picture of tutorial 1, with an array in each box: its shape at the right,
# its numbers as bars, the values above and their gradients below. x has no gradient: it
# is data, and we did not ask for one.
#
# Going back through a product of matrices is a product of matrices again.
#
# **Predict.** out = W3 h2 + b3 is one number. What is its gradient on the four weights
# W3? Think of tutorial 1: the gradient of a weight is its input, times what comes back.

# %%
# with 1s on the diagonal as its last matrix, forward gives h2 itself
h2 = forward(x, *arrays[:4], np.eye(4), np.zeros((4, 1)))
W3 = tensors[4]
print("W3.grad ", W3.grad.round(4))
print("h2, laid", h2.T.round(4))
assert np.allclose(W3.grad, h2.T, rtol=1e-12)

# %% [markdown]
# It is h2, laid on its side: h2ᵀ, the *transpose*, rows for columns. In general, for
# z = W x, if G is the gradient on z, then W gets G xᵀ, and x gets Wᵀ G. Look at the
# shapes: nothing else would fit.
#
# There is one more thing in the notes' lines. x may hold many examples, a column each.
#
# **Predict.** We give the same function five columns at once. What is the shape of the
# output, and are its numbers those of the five examples one by one?

# %%
columns = rng.normal(size=(3, 5))
together = forward(columns, *arrays)
one_by_one = [forward(columns[:, [i]], *arrays)[0, 0] for i in range(5)]
print("together  ", together.shape, together[0].round(4))
print("one by one      ", np.round(one_by_one, 4))
assert np.allclose(together[0], one_by_one, rtol=1e-12)

# %% [markdown]
# 1x5, and the same numbers. The bias is one column, and NumPy repeats it for each
# example. Several examples at once are called a *batch*.

# %% [markdown]
# ## One network, two ways to compute it
#
# Our own model of the same sizes can be called on an array, and computes with products;
# or on a list of numbers, and then it builds the graph of tutorial 1, with a Value for
# every weight and every sum. The parameters are the same. We give it the notes'.
#
# **Predict.** How many nodes has the graph of numbers, and how many that of arrays?
# Do both agree in their outputs and gradients?

# %%
for layer, weight, bias in zip(model.layers, arrays[0::2], arrays[1::2]):
    layer.weight.data, layer.bias.data = weight, bias[:, 0]

results = {}
numbers = [mg.Value(number) for number in x[:, 0]]
for way, example in (("numbers", numbers), ("arrays", x[:, 0])):
    model.zero_grad()
    out = model(example)
    out.backward()
    results[way] = out, [p.grad for p in model.parameters()]
    print(f"{way:8} out {out.item():.12f}, {len(mg.topological_order(out)):3} nodes")

(one, gradients), (other, others) = results.values()
assert abs(one.item() - other.item()) < 1e-12
assert all(np.allclose(g, h, rtol=0, atol=1e-12) for g, h in zip(gradients, others))

# %% [markdown]
# To twelve digits the same. But the graph of numbers has about seven times the nodes.
# Here it is, with a box for each neuron that says how many nodes are folded in it. (The
# six arrays that the parameters are picked from are left out.)

# %%
assert 6 < len(mg.topological_order(one)) / len(mg.topological_order(other)) < 8
quiet = {"values": False, "gradients": False, "local_derivatives": False}
title = "On numbers: each box is folded"
viz.draw(model, "scalar", X=x.T, depth=2, title=title, **quiet)

# %% [markdown]
# Each parameter is a number of its own, multiplied by its own input and added by
# itself; count them in the boxes, and you arrive at 41 once more. And this is the
# network on arrays, with nothing folded. We write it as the notes do, with one node for
# each sigmoid.

# %%
W1, b1, W2, b2, W3, b3 = tensors
h1 = mg.functional.sigmoid(W1 @ mg.Tensor(x, name="x") + b1)
h2 = mg.functional.sigmoid(W2 @ h1 + b2)
out = W3 @ h2 + b3
h1.name, h2.name, out.name = "h1", "h2", "out"
assert np.isclose(out.item(), one.item(), rtol=1e-12)
viz.draw(out, title="On arrays: three products", **quiet)

# %% [markdown]
# Three products (the sign @), three sums with a bias, two activations. (Our model has
# three nodes more, since it transposes each matrix first; the last section says why.)
# There would be no more boxes if each layer had a thousand units: the arrays would be
# larger.

# %% [markdown]
# ## What that does to speed
#
# Most of the time that Python takes for a small sum goes into everything around it:
# looking up what to do, making an object for the result, noting its parents. That is
# paid once a node. So a graph with fewer nodes should be faster.
#
# To measure it we take the shortest of a few runs, so that what else the machine does
# counts as little as possible.

# %%
import time


def seconds(run, times):
    best = np.inf
    for _ in range(times):
        begun = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begun)
    return best


def on_numbers(model, X):
    for example in X.tolist():
        model(example).backward()


def on_arrays(model, X):
    model(X).sum().backward()


# %% [markdown]
# **Predict.** We take 1,000 examples forward and backward, one by one on numbers, and
# all together on arrays. The graph of numbers has about seven times the nodes. Is it
# about seven times slower?

# %%
X = rng.normal(size=(1000, 3))
per_example = seconds(lambda: on_numbers(model, X[:100]), 3) / 100
batch = seconds(lambda: on_arrays(model, X), 10)
ratio = 1000 * per_example / batch
assert ratio > 100
print("numbers take more than 100 times as long")

# %% [markdown]
# Far more than seven times. One graph of 18 nodes serves all 1,000 examples, where the
# numbers need a thousand graphs, each of them larger. The arithmetic is the same; NumPy
# does it in one compiled loop a node. (We print only what is sure on any machine.)
#
# **Predict.** And for one single example? Is there as much to gain for this small
# network? And for a network with a hundred hidden units?

# %%
wide = mg.nn.MLP(64, [100, 1], "sigmoid", rng=0)
print(f"{model.summary().parameters} and {wide.summary().parameters:,} parameters")


def gain(model, x):
    numbers = seconds(lambda: on_numbers(model, x), 5)
    return numbers / seconds(lambda: on_arrays(model, x), 20)


gain_small, gain_wide = gain(model, X[:1]), gain(wide, rng.normal(size=(1, 64)))
assert gain_small < ratio / 20
assert gain_wide > 40
print("small network: less than a twentieth of the gain that it had with the batch")
print("wide network: arrays are more than 40 times faster, for one example")

# %% [markdown]
# For the small network little is left: an array of four numbers costs about as much as
# an array of one, and that is more than a plain number costs. The wide one gains
# without a batch, since its arrays are large by themselves. That is the rule: an array
# wins by the numbers in it, wherever they come from, many units or many examples.
#
# So graphs of numbers are for looking at, and arrays for training. It is one network.

# %% [markdown]
# ## Rows or columns
#
# One difference is left between the notes' code and ours. In the notes an example is a
# column, x is (in, N), and a layer is `W @ x + b`. In data sets an example is usually a
# row, X is (N, in). Our layers, like those of most libraries, take rows, and keep the
# weights as they are, a row a neuron: `X @ weight.T + bias`.
#
# **Predict.** We write the first layer in both ways, for the same five examples. How are
# the two results related?

# %%
W1, b1 = arrays[:2]
notes = W1 @ columns + b1
ours = columns.T @ W1.T + b1[:, 0]
print("columns:", columns.shape, "→", notes.shape)
print("rows:   ", columns.T.shape, "→", ours.shape)
assert np.allclose(ours, notes.T, rtol=1e-12)
assert np.allclose(model(columns.T).data, together.T, rtol=1e-12)

# %% [markdown]
# One is the transpose of the other, since (W x)ᵀ = xᵀ Wᵀ, and that holds for the whole
# network, as the last line of the cell asserts. The bias is a column there and a row
# here. Mixing the two up is a common mistake, and for square matrices it goes
# unnoticed:

# %%
W2 = arrays[2]
rows = rng.normal(size=(5, 4))
print("rows @ W2.T:", (rows @ W2.T).shape, "  rows @ W2:", (rows @ W2).shape)
print("same numbers?", np.allclose(rows @ W2.T, rows @ W2))
try:
    model(columns)
except ValueError as error:
    print(error)

# %% [markdown]
# Both products have a shape that fits; only one is the layer. Where the shapes do not
# fit, as for the columns given to our model, there is at least an error.

# %% [markdown]
# ## What you have seen
#
# - The weights of a layer are a matrix, a row a neuron, and a layer is one product.
# - Without an activation between them, layers collapse into one.
# - An N-layer network does not count its inputs; a fully connected layer has a weight
#   for each pair, and each neuron a bias. The output layer has no activation.
# - The notes' forward pass runs on Tensors as it stands, and gives gradients.
# - A graph of arrays has a node for each product, not for each number, and an array may
#   hold a whole batch: that is where the speed comes from.
# - Rows or columns is a convention: X @ weight.T is the transpose of W @ x.
#
# Tutorial 5 asks what networks of such layers can represent.

# %% [markdown]
# ## Exercises
#
# 1. Count the neurons, weights and biases of a network of any sizes.
# 2. The forward pass of a network of any depth, on a batch of rows.
# 3. Collapse two layers without an activation, with their biases, into one.
# 4. Go back through a layer: three gradients from one, each a product or a sum.
#
# Copy them with `micrograd-nn tutorial 4 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_04.py`, and ask
# `pytest -m tutorial_4` how you did.
