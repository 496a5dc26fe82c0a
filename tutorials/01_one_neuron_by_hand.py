# %% [markdown]
# # 1. One neuron, by hand
#
# A neural network is one small part, used again and again. Here we build that part, the
# *neuron*, out of single numbers, and work out by hand how its output changes when any
# one of those numbers changes. At the end the neuron learns something, and you can say
# of every number it used where it came from.

# %% [markdown]
# ## How to read these tutorials
#
# There are ten, in reading order: first single neurons, then layers and what a network
# can represent, then how to tell whether a network is right and healthy, and at the end
# real data. They try out the lecture notes of a well-known course on neural networks,
# which we call *the notes*. Where our numbers disagree with the notes, we say so.
#
# Some paragraphs are marked as predictions. Stop there and decide on an answer, on
# paper if you can, before you run the next cell. A wrong answer is worth as much as a
# right one: it shows which idea to change.
#
# A terminal draws each picture in characters, and names a file. All that we point to,
# such as colours and the numbers on edges, is in that file; `--open` shows it at once.

# %% [markdown]
# ## A number that remembers
#
# A `Value` holds one number. Arithmetic on Values gives new Values, and each of them
# remembers what it was made from: the operation, and the Values that went into it, its
# *parents*. All of them together are a *graph*.

# %%
import micrograd_nn as mg
import viz

a = mg.Value(2.0, name="a")
b = mg.Value(-3.0, name="b")
c = a * b
c.name = "c"
print(c.name, "is", c.data)
print("made by", c.op.name, "from", [parent.name for parent in c.parents])

# %% [markdown]
# Why remember? Because we will ask of a result how it depends on each number that went
# into it, and the answer is put together from these memories.
#
# The plainest way to ask is to change one number a little, and look.
#
# **Predict.** If `a` grows by 0.001, does `c` grow or fall, and by how much?

# %%
tiny = 0.001
moved = mg.Value(2.0 + tiny) * b
change = moved.data - c.data
print(f"c changes by {change:.4f}")
print(f"that is {change / tiny:.4f} times as much as a")
assert round(change, 9) == -0.003

# %% [markdown]
# It falls by 0.003. Each bit added to `a` counts b times, and b is −3.
#
# That factor is the *derivative* of c with respect to a, written ∂c/∂a: if a grows by a
# little, c changes by ∂c/∂a times that little. Its sign says in which direction, its
# size says how strongly. For a product it is the other factor: ∂c/∂a = b, ∂c/∂b = a.

# %% [markdown]
# ## The chain rule, edge by edge
#
# Now a longer computation: c goes into d, and d into f.

# %%
d = c + 10.0
d.name = "d"
f = d.square()
f.name = "f"
print(f"c = {c.data}, d = {d.data}, f = {f.data}")
for node in (c, d, f):
    print("into", node.name, mg.local_derivatives(node))
viz.draw(f, title="From a and b to f")

# %% [markdown]
# Each box is a number; data flows from left to right. On every edge stands its *local
# derivative*, printed above too: how many times as much the box to its right changes as
# the box to its left, if that changes a little and all else is held still. Into c they
# are b and a. Into d it is 1, because d grows as much as c does; the 10 is a constant
# and has none. Into f it is 2·d = 8, the derivative of d². The gradients, under the
# values, are still a dash: nothing has been worked out yet.
#
# **Predict.** `a` grows by 0.001 once more. You know that c then changes by −0.003. By
# how much does `f` change?

# %%
moved = (mg.Value(2.0 + tiny) * b + 10.0).square()
change = moved.data - f.data
along_the_path = 8.0 * 1.0 * -3.0
print(f"measured:       {change:.4f}")
expected = along_the_path * tiny
print(f"along the path: {along_the_path} x {tiny} = {expected:.4f}")
assert round(change, 4) == round(expected, 4)

# %% [markdown]
# It changes by −0.024. On each edge the change is multiplied by the local derivative:
# by −3, then by 1, then by 8, which is −24 in all. This is the *chain rule*: along a
# path, multiply the local derivatives. Nobody needs to know the formula of the whole,
# only that of each small step.
#
# (The measured change is only almost −0.024, since the factor 8 itself changes a little
# on the way. The smaller the step, the closer it comes.)

# %% [markdown]
# What if there are two ways from a to the result?
#
# **Predict.** g = a·b + a, with a = 2 and b = −3. What is ∂g/∂a?

# %%
g = a * b + a
g.name = "g"
g.backward()
print(f"∂g/∂a = {a.grad}")
viz.draw(g, title="Two paths from a to g")

# %% [markdown]
# It is −2. One path, through the product, gives −3; the other, straight into the sum,
# gives 1. Both changes arrive at g, so they add up: *along a path multiply, over paths
# add*. That sentence is the whole of the chain rule.
#
# `g.backward()` did this for us. It starts with ∂g/∂g = 1 at the right end and goes
# back edge by edge. What it finds for a Value, ∂g/∂a for instance, is the *gradient* of
# that Value, and is kept in its `.grad`; the picture now shows one in every box. Blue
# is positive, orange negative, and a thicker edge carries a larger gradient.

# %% [markdown]
# ## The neuron
#
# A neuron takes a few inputs x. It multiplies each by a *weight* w, adds the products
# up, adds a *bias* b, and sends the sum through a bent curve, its *activation*. A
# weight says how much an input counts, the bias where the neuron starts from. (Another
# word for a neuron is *unit*.) Here is one in the way the notes write it, with arrays
# of NumPy and a curve called *sigmoid*, 1/(1 + e^−z), which turns any number into one
# between 0 and 1.

# %%
import math

import numpy as np


class PlainNeuron:
    def __init__(self, weights, bias):
        self.weights, self.bias = weights, bias

    def forward(self, inputs):
        z = np.sum(inputs * self.weights) + self.bias
        return 1.0 / (1.0 + math.exp(-z))


plain = PlainNeuron(np.array([0.5, -1.0]), 1.0)
print(f"{plain.forward(np.array([1.0, 2.0])):.4f}")

# %% [markdown]
# That is a number and no more: it cannot tell how it depends on the weights. So we
# write the same with Values, one for each input, each weight, and the bias. The sum
# before the activation is called z, the *pre-activation*.
#
# **Predict.** The next cell then calls `math.exp(-z)`, as the class above did. But `z`
# is a Value now, and `math.exp` gives back plain numbers only. What would be lost, and
# what would you want to happen?

# %%
import textwrap

x1, x2 = mg.Value(1.0, name="x1"), mg.Value(2.0, name="x2")
w1, w2 = mg.Value(0.5, name="w1"), mg.Value(-1.0, name="w2")
bias = mg.Value(1.0, name="b")

z = w1 * x1 + w2 * x2 + bias
z.name = "z"
print("z =", z.data)
try:
    out = 1.0 / (1.0 + math.exp(-z))
except TypeError as error:
    print(textwrap.fill(str(error), 72))

# %% [markdown]
# A plain number remembers nothing: every gradient from there on would be missing, and
# nobody would notice. So the Value refuses, and says what to write instead. NumPy's own
# functions, such as `np.exp`, do work on a Value, and give a Value.
#
# Let us go back through the sigmoid by hand. Its four steps are n = −z, p = e^n,
# q = 1 + p and out = 1/q, and their local derivatives are those of school: −1 for the
# minus sign, e^n = p itself for the exponential, 1 for adding a constant, and −1/q² for
# one over q.
#
# **Predict.** Is the product of the four positive or negative? Above 1 or below?

# %%
steps = [-z, np.exp(-z), 1.0 + np.exp(-z), 1.0 / (1.0 + np.exp(-z))]
n, p, q, out = (step.data for step in steps)
assert out == plain.forward(np.array([1.0, 2.0]))

local = {"z → n": -1.0, "n → p": p, "p → q": 1.0, "q → out": -1 / q**2}
slope = 1.0
for edge, derivative in local.items():
    slope = slope * derivative
    print(f"{edge:8} {derivative:8.4f}")
print(f"product  {slope:8.4f}   ∂out/∂z")
print(f"compare  {out * (1 - out):8.4f}   out·(1 − out)")
assert math.isclose(slope, out * (1 - out))

# %% [markdown]
# Two minus signs cancel, so the sigmoid always rises. What is left is p/q², and as q²
# is (1 + p)², more than p, the product is below 1: the output moves less than z does.
# The product is the *slope* of the curve at z. The last line shows a useful accident:
# it equals out·(1 − out), so it follows from the output alone. From now on we write
# `z.sigmoid()`, a single operation with this slope.
#
# **Predict.** One edge further back, z is a sum of three terms, two of them products.
# Of w1, w2, x1, x2 and the bias: which has the largest gradient? All you need is the
# slope, w = (0.5, −1) and x = (1, 2).

# %%
out = z.sigmoid()
out.name = "out"
by_hand = {w1: slope * 1.0, w2: slope * 2.0, x1: slope * 0.5}
by_hand[x2], by_hand[bias] = slope * -1.0, slope

out.backward()
print("     by hand   backward")
for leaf, gradient in by_hand.items():
    print(f"{leaf.name:4} {gradient:7.4f}    {leaf.grad:7.4f}")
    assert math.isclose(gradient, leaf.grad)
viz.draw(out, direction="TB", title="One neuron: σ(w1·x1 + w2·x2 + b)")

# %% [markdown]
# It is w2. A sum passes its gradient on to each of its terms as it is; a product
# multiplies it by the other factor. So the gradient of a weight is the slope times its
# input, and w2 has the larger input. The gradient of an input is the slope times its
# weight. Remember this pair: it comes back in every network.
#
# In the picture follow the way from out back to w2: the gradient of a box times the
# number on the edge is what arrives in the box before it.

# %% [markdown]
# A neuron like this one is in the library, ready made: `mg.nn.Neuron`. Its weights and
# its bias, which are what it will learn, are its *parameters*. It draws its weights at
# random; we give it ours.

# %%
neuron = mg.nn.Neuron(2, "sigmoid", rng=0)
neuron.weight.data = [0.5, -1.0]
neuron.bias.data = 1.0

answer = neuron([1.0, 2.0])
answer.backward()
print(f"output {answer.data:.4f}")
print(f"gradients of the weights {neuron.weight.grad.round(4)}")
assert answer.data == out.data
assert neuron.weight.grad.tolist() == [w1.grad, w2.grad]

# %% [markdown]
# ## Why the order matters
#
# So far each Value was used once, or we saw both paths at a glance. The commonest
# question about programs like this one is why they sort the graph before they go back
# through it. Two additions are enough to see it.
#
# **Predict.** a = 1, b = a + a, c = b + b. What is ∂c/∂a?

# %%
a = mg.Value(1.0, name="a")
b = a + a
c = b + b
b.name, c.name = "b", "c"
c.backward()
print(f"∂c/∂b = {b.grad}, ∂c/∂a = {a.grad}")
viz.draw(c, title="a twice in b, b twice in c")

# %% [markdown]
# c is 4·a, so it is 4. In paths: there are two ways from a to b and two from b to c,
# which makes four ways, and along each the product is 1.
#
# Now let us write backward ourselves in the way that comes to mind first: give a node
# its gradient, and go on at once, with what it has, to each of its parents.


# %%
def at_once(node, gradient, found):
    found[node] = found.get(node, 0.0) + gradient
    for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
        at_once(parent, found[node] * derivative, found)


# %% [markdown]
# Along a path it multiplies, and what arrives at a node it adds up. It looks right.
#
# **Predict.** What does it find for b, and what for a? Go through it with a pencil: c
# calls b twice.

# %%
found = {}
at_once(c, 1.0, found)
print(f"b: {found[b]}, a: {found[a]}")
assert found[b] == 2.0
assert found[a] == 6.0

# %% [markdown]
# b is right, and a is 6 in the place of 4. The first call of b brings it the gradient
# 1, which it passes on, twice, at once: a has 2. The second call brings b to 2, and now
# it passes on all of its 2, twice: a gets 4 more. What came first has been counted
# again.
#
# One could instead pass on only what has just arrived. That walks every path by itself,
# from end to end, and it is correct.
#
# **Predict.** With two doublings there are four paths from end to end. How many calls
# does it take to walk all the paths of 16 doublings?


# %%
def path_by_path(node, gradient, found):
    global calls
    calls = calls + 1
    found[node] = found.get(node, 0.0) + gradient
    for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
        path_by_path(parent, gradient * derivative, found)


start = end = mg.Value(1.0)
for _ in range(16):
    end = end + end
calls, found = 0, {}
path_by_path(end, 1.0, found)
print(f"{len(found)} nodes, {calls:,} calls, gradient {found[start]:,.0f}")

# %% [markdown]
# The gradient is right, 65,536, one for each path; but 17 nodes took 131,071 calls: 1
# for the end, 2 for the node before it, then 4, and so on, up to 65,536 for the start.
# With every doubling more the calls double too.
#
# Both ways are too hasty. A node should pass its gradient on once, when it is complete,
# and it is complete when everything made from it has had its turn. So put the nodes
# into an order in which each comes after all its parents, a *topological order*, and go
# through it from the back.


# %%
def backward(root):
    found = {root: 1.0}
    for node in reversed(mg.topological_order(root)):
        derivatives = mg.local_derivatives(node)
        for parent, derivative in zip(node.parents, derivatives):
            so_far = found.get(parent, 0.0)
            found[parent] = so_far + found[node] * derivative
    return found


print([node.name for node in mg.topological_order(c)])
print(f"a: {backward(c)[a]}")
print(f"after 16 doublings: {backward(end)[start]:,.0f}")
assert backward(c)[a] == 4.0

# %% [markdown]
# These few lines are *backpropagation*: the chain rule, in the right order, each edge
# once. However large a network is, going back through it takes about as many steps as
# going forward did.

# %% [markdown]
# ## Gradients add up
#
# One thing is left to know before the neuron can learn. `c.backward()` has been called
# once above.
#
# **Predict.** We call it a second time. What are `b.grad` and `a.grad` then?

# %%
c.backward()
print(f"b: {b.grad}, a: {a.grad}")
assert (b.grad, a.grad) == (2.0, 8.0)

# %% [markdown]
# b is as before: a Value that was computed holds what the last call found. a has 4
# more, 8, for a is a *leaf*: a Value that was not computed from others. Leaves keep
# what they have and add to it, and this is meant: a weight takes part in many results,
# one for each example, and wants the sum over all of them. The price is that one must
# set it back before a new round. `zero_grad()` does that for a whole neuron or network,
# and to forget it is one of the commonest mistakes there is.

# %% [markdown]
# ## A neuron that learns
#
# Our neuron says 0.3775 for x = (1, 2). Let us wish it said 0.9. A *loss* is a number
# that says how far we are from what we want, here the squared distance. Backward from
# the loss tells each parameter's gradient; if we move each a little *against* its
# gradient, the loss must fall. That is *gradient descent*. The factor between gradient
# and move is the *learning rate*.

# %%
neuron.zero_grad()
loss = (neuron([1.0, 2.0]) - 0.9) ** 2
loss.backward()
print(f"loss {loss.data:.4f}")
print(f"gradients of the weights {neuron.weight.grad.round(4)}")
print(f"gradient of the bias     {neuron.bias.grad:.4f}")

# %% [markdown]
# All three are negative: more of any of them would make the loss smaller.
#
# **Predict.** With a learning rate of 0.01 every parameter moves by 0.01 times its
# gradient, against it. Can you say, before the step, by how much the loss will fall?

# %%
rate = 0.01
gradient = np.append(neuron.weight.grad, neuron.bias.grad)
expected = -rate * np.sum(gradient**2)

neuron.weight.data = neuron.weight.data - rate * neuron.weight.grad
neuron.bias.data = neuron.bias.data - rate * neuron.bias.grad
after = (neuron([1.0, 2.0]) - 0.9) ** 2
print(f"expected {expected:.5f}")
print(f"measured {after.data - loss.data:.5f}")
assert 0.9 < (after.data - loss.data) / expected < 1.1

# %% [markdown]
# Each parameter changes the loss by its gradient times its move, and its move is −rate
# times its gradient. So the loss changes by −rate times the sum of the squared
# gradients: always downwards, if the step is small. The measured change agrees but for
# a little, as before, because the gradients themselves change on the way.
#
# From here on an *optimiser* does the moving: `mg.optim.SGD`. Forty steps, and larger.

# %%
optimizer = mg.optim.SGD(neuron.parameters(), lr=0.5)
print("step   output     loss")
for step in range(41):
    optimizer.zero_grad()
    answer = neuron([1.0, 2.0])
    loss = (answer - 0.9) ** 2
    loss.backward()
    if step % 8 == 0:
        print(f"{step:4}   {answer.data:.4f}   {loss.data:.5f}")
    optimizer.step()
assert abs(answer.data - 0.9) < 0.01

# %% [markdown]
# The output moves to 0.9: fast at first and then slowly, because the gradient carries
# the distance as a factor, and the distance shrinks.
#
# This loop is how every network in these tutorials learns, and it is what the notes
# say: parameters are learned by *stochastic* gradient descent, the SGD of the code, and
# the gradients come from the chain rule. Stochastic means that of many examples one
# takes a few at a time, drawn at random. Here there is only one.

# %% [markdown]
# ## What you have seen
#
# - A derivative says how much a result changes for a little change of one number.
# - Along a path multiply the local derivatives, over paths add.
# - A neuron is a sum of weighted inputs and a bias, through an activation. The gradient
#   of a weight is the slope of the activation times the weight's input.
# - A node passes its gradient on when it is complete, hence the topological order.
# - Leaves add up their gradients until they are set back.
# - To learn is to move each parameter a little against its gradient.
#
# The activation was a sigmoid here. Tutorial 2 asks which curves there are, and why so
# much depends on their slopes.

# %% [markdown]
# ## Exercises
#
# 1. The slope of another curve, softplus, log(1 + e^z), by multiplying along its edges.
# 2. All the gradients of a neuron with two or more inputs, by hand, with NumPy.
# 3. Gradient descent on a neuron, written by you: as many steps as are asked for.
# 4. Backward for any graph of Values, each node once. Some parents are constants, which
#    have no derivative: your code must step over them.
#
# Copy them with `micrograd-nn tutorial 1 --exercises DIR` (in a copy of the project
# they are in `tutorials/exercises/`), fill the holes in `exercise_01.py`, and ask
# `pytest -m tutorial_1` how you did.
