# %% [markdown]
# # 10. Any acyclic wiring
#
# Units can be wired in any way that has no loop, and layers are only the most usual
# way. What the notes ask for is that neurons are connected in an *acyclic* graph, one
# in which no way along the edges leads back to where it began. Here we wire units as we
# like, let wires skip what they want to skip, and see what goes wrong in a loop and how
# to do without one. At the end we look back over all ten tutorials.

# %% [markdown]
# ## Units without layers
#
# A `nn.Network` is built unit by unit. An input has a name; a unit has a name, an
# activation of its own, and a list of those that it reads.

# %%
import textwrap

import numpy as np

import micrograd_nn as mg
import viz
from micrograd_nn import data, nn

net = nn.Network(rng=4)
x1, x2 = net.input("x1"), net.input("x2")
a = net.unit("a", "tanh", [x1, x2])
b = net.unit("b", "relu", [x1, a])
c = net.unit("c", "maxout", [x2, a])
score = net.unit("score", "identity", [a, b, c, x2])

print(net)
print("weights", net.weight.shape, "biases", net.bias.shape)
viz.draw(net, title="Four units, four kinds")

# %% [markdown]
# Every arrow is a weight. `b` and `c` each read an input, and a unit that reads inputs:
# they stand in no layer. (The frames say something else, which we come to below.) There
# are 10 edges and 12 weights, since the Maxout unit has two weights for an edge.
#
# The notes say that mixing kinds of neuron in one network is rare, and that nothing
# forbids it. So we train it. `fit` takes a Network as it takes an MLP.
#
# **Predict.** Two half-moons, as in tutorial 6, with little noise. How well can four
# units with 17 parameters tell them apart?

# %%
X, y = data.make_moons(200, 0.1, rng=0)
logistic = {"loss": "binary_cross_entropy_with_logits", "lr": 0.05}
logistic |= {"rng": 0, "progress": False}
history = mg.fit(net, X, y, epochs=80, **logistic)
before, after = history["loss"][0], history["loss"][-1]
print(f"{net.summary().parameters} parameters,", end=" ")
print(f"loss {before:.3f} to {after:.3f}", end=", ")
print(f"accuracy {history['accuracy'][-1]:.1%}")
assert history["accuracy"][-1] > 0.97
viz.draw_network(net, X, y, title="After training: what each unit sees")

# %% [markdown]
# More than 97 % of them. (Not from every beginning: such a small network gets stuck in
# some, as tutorial 6 showed.) Each map shows the plane of the two inputs, and where the
# unit is above 0 and below. `a` can only have a straight border. A unit that reads
# other units can bend its own, and the score's runs between the moons.

# %% [markdown]
# ## One hidden unit for XOR
#
# XOR, from tutorial 3: four corners of a square, here with the coordinates 0 and 1, and
# a corner is of class 1 if its coordinates differ. No straight line parts the classes.
# So no single tanh or ReLU unit can do it, and with layers one needs a hidden layer of
# at least two of them.
#
# Now let the output read the inputs as well: wires that skip the hidden unit.
#
# **Predict.** The hidden unit is a ReLU that is on for (1, 1) only. With the weights of
# the next cell, what is the score of each of the four corners?

# %%
xor = nn.Network()
x1, x2 = xor.input("x1"), xor.input("x2")
both = xor.unit("both", "relu", bias=-1.0)
out = xor.unit("out", "identity", bias=0.0)
for x in (x1, x2):
    xor.connect(x, both, 1.0)
    xor.connect(x, out, 1.0)
xor.connect(both, out, -2.0)

corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
is_odd = np.array([0, 1, 1, 0])
print("score of each corner:", xor(corners).data.ravel())
assert np.array_equal(xor(corners).data.ravel(), is_odd)
viz.draw(xor, title="XOR with one hidden unit")

# %% [markdown]
# The score counts the ones, and takes two off when there are both. The hidden unit does
# nothing but notice that case; the straight part of the work goes past it.
#
# We found these weights by thinking. Can training find such ones? We take a tanh as the
# hidden unit, and begin ten times, with the skipping wires and without them.
#
# **Predict.** Of ten beginnings each, how many end with all four corners right?


# %%
def learns(seed, skip):
    net = nn.Network(rng=seed)
    inputs = [net.input("x1"), net.input("x2")]
    hidden = net.unit("h", "tanh", inputs)
    net.unit("out", "identity", [hidden, *inputs] if skip else [hidden])
    run = mg.fit(net, corners, is_odd, epochs=400, **logistic)
    return net, run["accuracy"][-1] == 1.0


ends = {}
for skip, name in ((False, "without"), (True, "with skip connections")):
    ends[name] = [learns(seed, skip) for seed in range(10)]
    solved = sum(right for _, right in ends[name])
    print(f"{name:22} {solved:2} of 10")
solved = {name: sum(right for _, right in found) for name, found in ends.items()}
assert solved["without"] == 0
assert solved["with skip connections"] >= 8

# %%
models = {name: found[0][0] for name, found in ends.items()}
title = "One hidden unit, twice"
viz.draw_boundary(models, corners, is_odd, margin=0.4, title=title)

# %% [markdown]
# Without them none, and none ever can: all that the output knows is the one number that
# the hidden unit gives. tanh rises with its sum, so one cut through that number is one
# straight border. With them nearly all do, and the border has more than one part. A
# wire that passes over one or more units is called a *skip connection*. It costs one
# weight, and here a few of them are worth a hidden unit.

# %% [markdown]
# ## What a skip does to the gradient
#
# Tutorial 8 showed that through many sigmoid layers the gradient vanishes. Here is the
# plainest such network, a chain of units with one input and all weights 1. Two more are
# built from it: one has a single wire more, from the first unit straight to the end; in
# the other each unit's output is *added* to what went into it.


# %%
def chain(length, kind):
    net = nn.Network()
    last = net.input("x")
    for k in range(1, length + 1):
        unit = net.unit(f"h{k}", "sigmoid")
        net.connect(last, unit, 1.0)
        if kind == "sums":
            total = net.unit(f"s{k}", "identity")
            net.connect(last, total, 1.0)
            net.connect(unit, total, 1.0)
            unit = total
        last = unit
    if kind == "one wire":
        end = net.unit("end", "identity")
        net.connect(last, end, 1.0)
        net.connect("h1", end, 1.0)
    return net


title = "A chain of three, one wire more"
viz.draw_network(chain(3, "one wire"), title=title)

# %%
viz.draw_network(chain(2, "sums"), title="A chain of two, with sums")

# %% [markdown]
# How much does the output change with z of the first unit, its sum before the sigmoid?
# (That is the gradient of its bias, which we print.)
#
# **Predict.** The slope of a sigmoid is at most a quarter. About how large is this
# gradient in the plain chain of 20? And with one wire more: twice as large, a million
# times, or more?

# %%
lengths = (2, 5, 10, 20, 40)
print("units     ", *(f"{n:9}" for n in lengths))
first = {}
for kind in ("plain", "one wire", "sums"):
    first[kind] = []
    for n in lengths:
        row = chain(n, kind)
        row([0.5]).backward()
        first[kind].append(float(row.bias.grad[0]))
    print(f"{kind:10}", *(f"{g:9.1e}" for g in first[kind]))
assert first["one wire"][3] > 1e12 * first["plain"][3]
assert min(first["one wire"] + first["sums"]) > 0.2

# %% [markdown]
# More than a million million times. In the plain chain there is a factor of a quarter
# or less for each unit. With one wire more the gradient stays above 0.2, whatever the
# length. Remember tutorial 1: along a path multiply, over paths add. The long path
# still gives next to nothing; but there is a second one now, with two edges, and what
# comes along it is added.
#
# In the chain with sums there is such a short path around *every* unit, so that none of
# them is cut off, and not the first alone. Networks of a hundred layers and more are
# trained this way; they are called *residual* networks.

# %% [markdown]
# ## Layers are a special case
#
# An MLP is a Network like any other. `from_mlp` takes one apart into units and wires.
#
# **Predict.** How many edges has an MLP with 2 inputs and layers of 3, 3 and 1? And
# will the Network give the same numbers, and the same gradients?

# %%
mlp = nn.MLP(2, [3, 3, 1], "tanh", rng=0)
same = nn.Network.from_mlp(mlp)
print(same, f"with {2 * 3 + 3 * 3 + 3 * 1} weights")
for generation in same.generations:
    print("  ", generation)

there, here = mlp(X), same(X)
there.sum().backward()
here.sum().backward()
in_layers = [layer.weight.grad.ravel() for layer in mlp.layers]
off = abs(there.data - here.data).max()
off_back = abs(np.concatenate(in_layers) - same.weight.grad).max()
print(f"outputs differ by at most   {off:.0e}")
print(f"gradients differ by at most {off_back:.0e}")
assert off < 1e-12
assert off_back < 1e-9

# %% [markdown]
# 18 edges, and the same numbers but for rounding. (The sums are added up in another
# order.) What looks like layers is the order of work. A unit can be computed as soon as
# all that it reads is there. Those that read inputs only come first, then those that
# need only these and inputs, and so on: each such step is a *generation*. In the
# pictures the frames are generations, and all units of one are computed together, as
# one matrix product.
#
# In tutorial 1 we sorted a graph of Values so that each comes after its parents. That
# was a *topological order*, one node at a time.
#
# **Predict.** We compute our first wiring with Values, and look at the order in which
# they are sorted. In what order do the units a, b, c and score come?

# %%
nodes = mg.topological_order(net([mg.Value(0.5), mg.Value(-1.0)]))
last = {}
for place, node in enumerate(nodes):
    last[node.module] = place  # the last node of a unit is its output
paths = sorted(filter(None, last), key=last.get)
order = [path.split(".")[-1] for path in paths]
print(len(nodes), "Values; units in the order", *order)
print("generations:", net.generations)
assert order[0] == "a"
assert order[-1] == "score"

# %% [markdown]
# It begins with a and ends with the score. Whether b or c comes first does not matter:
# both read a, neither needs the other, and in the generations they stand side by side.
# Both orders are made from the same rule, nothing before what it needs. And from the
# end backwards, the same order tells when a gradient is complete.

# %% [markdown]
# ## Why a loop is refused
#
# Some wirings have no such order. Suppose b, which reads a, were read by a.

# %%
edges = net.edges
try:
    net.connect(b, a)
except mg.CycleError as error:
    print(textwrap.fill(str(error), 76))
print("unchanged:", net.edges == edges)
assert net.edges == edges

# %% [markdown]
# The error names the loop, and the network is as it was. What would be so bad? Let us
# be generous, and compute such a loop by hand: b is tanh(v·a), a is tanh(w·b), and we
# go round and round.
#
# **Predict.** We try w and v both 0.5, both 2, and then w = −2 with v = 2. In which of
# these does the value of a settle, and does it matter where it starts?


# %%
def rounds(w, v, start, count=60):
    a, values = start, []
    for _ in range(count):
        b = np.tanh(v * a)
        a = np.tanh(w * b)
        values.append(a)
    return values


print("   w,   v    start    round 1       2       3  ...     59      60")
for w, v in ((0.5, 0.5), (2.0, 2.0), (-2.0, 2.0)):
    for start in (0.5, -0.5):
        r = rounds(w, v, start)
        shown = "".join(f"{value:8.3f}" for value in r[:3])
        shown += f"  ... {r[58]:z7.3f} {r[59]:z7.3f}"
        print(f"{w:4}, {v:3} {start:8} {shown}")
assert abs(rounds(0.5, 0.5, 0.5)[59]) < 1e-9
assert rounds(2.0, 2.0, 0.5)[59] > 0.9 > -0.9 > rounds(2.0, 2.0, -0.5)[59]
third = rounds(-2.0, 2.0, 0.5)
assert third[58] * third[59] < -0.8

# %% [markdown]
# The first loop settles. The second settles too, on another value for another start,
# and the network has no say in where to start. The third jumps for ever between two
# values. So "what is the output?" has one answer, or several, or none. And a program
# that asks b for its value, which asks a, which asks b, gets no answer at all: that is
# what the notes mean by an infinite loop in the forward pass.
#
# With arithmetic on Values one cannot even write a loop. A result is younger than its
# parents, and its parents cannot be replaced.

# %%
p = mg.Value(1.0, name="p")
q = p + p
try:
    p.parents = (q, q)
except AttributeError as error:
    print(textwrap.fill(str(error), 76))

# %% [markdown]
# ## The way out: unroll it in time
#
# Yet one wants loops: to read a sentence, a network should remember what it read. The
# way out is to say *when*. The value at time 2 depends on the value at time 1, and that
# is another value. Written out step by step, the loop becomes a chain, and a chain has
# an order. Networks like this one are called *recurrent*.
#
# The weight is the same at all times: one Value, used three times.

# %%
inputs = (1.0, -0.5, 0.25)
w = mg.Value(0.8, name="w")
h = mg.Value(0.5, name="h0")
for t, x in enumerate(inputs, start=1):
    h = (w * h + x).tanh()
    h.name = f"h{t}"
h.backward()
print(f"h3 = {h.data:.4f}, ∂h3/∂w = {w.grad:.6f}")
bare = {"values": False, "gradients": False, "local_derivatives": False}
viz.draw(h, direction="TB", title="Three steps, one weight", **bare)

# %% [markdown]
# Three arrows leave w. No arrow comes back to where it started: each h is a box of its
# own. Now the same with three weights, one for each step, all of them 0.8.
#
# **Predict.** Each of the three gets a gradient of its own. How does ∂h3/∂w above
# follow from these?

# %%
weights = [mg.Value(0.8, name=f"w{t}") for t in (1, 2, 3)]
h = mg.Value(0.5, name="h0")
for own, x in zip(weights, inputs):
    h = (own * h + x).tanh()
h.backward()

for own in weights:
    print(f"∂h3/∂{own.name} = {own.grad:9.6f}")
total = sum(own.grad for own in weights)
print(f"      sum = {total:9.6f}")
assert np.isclose(total, w.grad, rtol=1e-12)
assert weights[0].grad == min(own.grad for own in weights)

# %% [markdown]
# It is their sum: the rule for a Value that is used more than once, known since
# tutorial 1. Going back through an unrolled network is called *backpropagation through
# time*, and it is backpropagation, nothing else. The first step counts least here. Its
# path is the longest, and each further step multiplies by a weight and a slope below 1:
# gradients can vanish in time as they do in depth.

# %% [markdown]
# ## Wirings from elsewhere, and by lot
#
# A wiring is a graph, and there is a library for graphs, networkx. `to_networkx` gives
# it ours with all weights, and `from_networkx` takes any directed graph without loops.
# (For files there are `net.save` and `nn.Network.from_json`.)

# %%
import networkx as nx

graph = net.to_networkx()
path = nx.dag_longest_path(graph, weight=None)
print("longest path:", " -> ".join(path))
theirs = [sorted(found) for found in nx.topological_generations(graph)]
print("its generations:", theirs)
assert theirs[1:] == [sorted(found) for found in net.generations]

graph.add_edge("score", "a", weight=1.0)
try:
    nn.Network.from_networkx(graph)
except mg.CycleError as error:
    print("with one edge more:", error.loop)

# %% [markdown]
# It agrees on the generations, counting the inputs as the first; and a graph that
# someone else has drawn is checked for loops as well.
#
# Last, a wiring that nobody has thought about: each of eight units draws by lot what
# kind it is, and which two of the older ones it reads.
#
# **Predict.** Will it learn the moons at all?

# %%
draws = np.random.default_rng(22)
lot = nn.Network(rng=22)
older = [lot.input("x1"), lot.input("x2")]
for k in range(8):
    kind = str(draws.choice(["tanh", "relu", "softplus", "sigmoid"]))
    reads = draws.choice(older, size=2, replace=False).tolist()
    older.append(lot.unit(f"u{k}", kind, reads))
lot.unit("score", "identity", lot.outputs)

run = mg.fit(lot, X, y, epochs=60, **logistic)
print(f"{lot}, accuracy {run['accuracy'][-1]:.1%}")
assert run["accuracy"][-1] > 0.9
viz.draw_network(lot, title="Wired by lot")

# %% [markdown]
# It does, more than 90 % of them. Layers are not what makes a network learn; they make
# it quick to compute and easy to talk about. The health report asks of each unit what
# it asked in tutorials 8 and 9, and calls it by its name.

# %%
report = mg.unit_health(lot, X)
print("unit   activation  on-rate  dead  share saturated")
for u in sorted(report.to_numpy(), key=lambda u: u["name"]):
    print(f"{u['name']:6} {u['activation']:10} {u['on_rate']:8.0%}", end="")
    print(f"{'yes' if u['dead'] else 'no':>6} {u['saturated_share']:16.0%}")
for finding in report.findings:
    print(textwrap.fill(finding, 76))

# %% [markdown]
# ## What the ten have shown
#
# Every claim of the notes that we tried out, and what became of it in our runs. First
# the neuron, and how it learns.
#
# | The notes say | Our runs | Where |
# |---|---|---|
# | a neuron: weighted sum, bias, activation | their class runs as it is | tutorial 1 |
# | gradient descent learns, by the chain rule | yes, edge by edge | tutorials 1 and 9 |
# | with a sigmoid: logistic regression | yes, a softmax of two | tutorial 3 |
# | with the hinge loss: an SVM | yes, held by few examples | tutorial 3 |
# | regularisation forgets gradually | yes, by a factor a step | tutorial 3 |

# %% [markdown]
# Then the activations.
#
# | The notes say | Our runs | Where |
# |---|---|---|
# | the sigmoid saturates, and kills the gradient | yes, at both ends | tutorial 2 |
# | too large initial weights saturate | yes; a little larger helps | tutorial 8 |
# | not zero-centred: a zig-zag, less in a batch | yes, both | tutorial 2 |
# | the sigmoid's exponential is costly | yes, beside a ReLU | tutorial 2 |
# | never use the sigmoid | last in the race; outputs can need it | tutorials 2 and 3 |
# | tanh is zero-centred: always preferred | yes, though it saturates too | tutorial 2 |
# | ReLU is cheap, and six times as fast as tanh | cheap; not even twice | tutorial 2 |
# | too high a rate kills as much as 40 % of ReLUs | yes, and more | tutorials 8 and 9 |
# | leaky ReLU: not always consistent | never dead; else like ReLU | tutorials 2 and 8 |
# | PReLU: unclear | never dead; two seeds decide no more | tutorial 2 |
# | Maxout: both ReLUs in it, no dying, twice the size | yes, all of it | tutorial 2 |
# | so ReLU, mind the rate; else leaky or Maxout | the rate is what helps | tutorial 8 |
# | kinds of neuron may be mixed | yes, and it trains | tutorial 10 |

# %% [markdown]
# Then layers, and wirings.
#
# | The notes say | Our runs | Where |
# |---|---|---|
# | s = W x; with two layers W2 max(0, W1 x) | yes, in these shapes | tutorial 4 |
# | without the max, layers collapse into one | yes, to rounding | tutorial 4 |
# | all pairs of two layers, none within one | yes, counted edge by edge | tutorial 4 |
# | N layers do not count the input | so the summaries count | tutorials 3 and 4 |
# | parameters of their two small networks | as they count them | tutorial 4 |
# | no activation on the output | with one, some targets are missed | tutorial 4 |
# | the forward pass, as they write it | runs, gives gradients | tutorial 4 |
# | an MLP learns digits from its graph | yes | tutorial 9 |
# | neurons form an acyclic graph | any such graph will do | tutorial 10 |
# | a cycle never ends | or on one value, or on several | tutorial 10 |

# %% [markdown]
# Last, how large a network should be.
#
# | The notes say | Our runs | Where |
# |---|---|---|
# | one hidden layer approximates anything | yes: more bumps, less error | tutorial 5 |
# | power alone says little | yes: to learn needs far fewer parameters | tutorial 5 |
# | three layers beat two, more rarely help | by little, on one problem | tutorial 5 |
# | more units, more complicated regions | yes, and a higher test loss | tutorial 6 |
# | do not shrink: L2, dropout, input noise | yes, in the test loss | tutorial 6 |
# | dropout against overfitting, on digits | lost among the splits | tutorial 9 |
# | stronger L2, smoother regions | yes, until it underfits | tutorial 6 |
# | small networks have bad minima | yes, and large ones hardly | tutorial 6 |
#
# Most of it held. Where an effect was smaller than they say, remember that our networks
# and data are small, and that their best-known figure is of a convolutional network on
# photographs. So try a claim on your own problem before you build on it. That is what
# this package is for.

# %% [markdown]
# ## Where to go next
#
# - Read the engine. `graph.py`, `op.py`, `ops.py`, `value.py` and `tensor.py`, in this
#   order, are what you have used all along, and `docs/engine.md` is the guide to them.
# - `docs/gradcheck.md`: holding your own backward pass against numerical differences.
# - `docs/pictures.md`: every picture there is, and the files it can be saved to.
# - `docs/claims.md`: the claims above over many seeds, in tables.
# - `micrograd_nn/nn/_acyclic.py`: how a loop is found without looking at all the edges.
# - `micrograd-nn train --data FILE.csv --target COLUMN`: a table of your own.

# %% [markdown]
# ## What you have seen
#
# - Units need no layers, only an order in which nothing comes before what it needs.
# - A skip connection is a shorter path. It can spare units, and it carries gradients.
# - An MLP is a Network, and generations are the layers of any wiring.
# - A loop has one answer, or several, or none, and is refused by name.
# - Unrolled in time a loop is a chain, and a shared weight gets the sum over the steps.
#
# This was the last of the ten. Tutorial 1 reads differently now: try its predictions
# again.

# %% [markdown]
# ## Exercises
#
# 1. Whether the number of ones among three inputs is odd, with two hidden units.
# 2. Evaluation order: sort any wiring so that each unit comes after what it reads.
# 3. A recurrent unit, unrolled over as many steps as there are inputs.
# 4. Find the loop that a new edge would close, and name its units in order.
#
# Copy them with `micrograd-nn tutorial 10 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_10.py`, and ask
# `pytest -m tutorial_10` how you did.
