"""Sites of the tutorials, written once: of two small ones, and of all that there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from micrograd_nn.cli.tutorial import _site
from micrograd_nn.cli.tutorial._source import read, tutorials

FIRST = """\
# %% [markdown]
# # 1. Products & <sums>
#
# We multiply two numbers. In
# tutorial 2 they are many, and so they are in tutorials 2 and 9; this is tutorial 1.

# %% [markdown]
# ## Two numbers
#
# The command `micrograd-nn tutorial 2` runs what <b>comes</b> next.
#
# | number | value |
# |---|--:|
# | `a` | 2 |

# %%
import micrograd_nn as mg
import viz

a, b = mg.Value(2.0, name="a"), mg.Value(-3.0, name="b")
c = a * b
print(c.data, "<script>alert(1)</script>")

# %% [markdown]
# A paragraph before.
#
# **Predict.** By how much does `c` change if `a` grows by 0.5?
#
# - by 0.5
# - by −1.5

# %%
# A comment of the code.
more = (a + 0.5) * b
print("the answer is", more.data - c.data)

assert more.data - c.data == -1.5
for value in (more, c):
    assert value.data < 0

# %% [markdown]
# The telling paragraph.
#
# And another one.
#
# ## Two numbers
#
# A paragraph after.
#
# **Predict.** And what is the gradient of `b`?

# %%
c.backward()
assert b.grad == 2.0
title = "A product & its gradients"
print("told of b:", b.grad)
viz.draw(c, title=title)

# %% [markdown]
# What the picture tells.

# %%
a_name_that_is_long = "in a line that is much too long for a telephone, and for the column of the text as well, I fear"
viz.draw(a * b + a * 2.0 * b.tanh() * (a + b).exp(), title="A wide one")
"""

SECOND = """\
# %% [markdown]
# # 2. Many numbers
#
# As in tutorial 1.

# %%
import micrograd_nn as mg
import viz

print(sum(range(10)))
X, y = mg.data.make_moons(20, rng=0)
history = mg.fit(mg.nn.MLP(2, [2], rng=0), X, y, epochs=2, rng=0, progress=False)
viz.draw_history(history, title="Two epochs")

# %% [markdown]
# ## Exercises
#
# 1. **One.** Do it.
"""


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of two small tutorials."""
    folder = tmp_path_factory.mktemp("two")
    files = [folder / "01_products.py", folder / "02_many_numbers.py"]
    for file, text in zip(files, (FIRST, SECOND), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


@pytest.fixture(scope="session")
def small_site(two: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _site.write([read(file) for file in two], tmp_path_factory.mktemp("small") / "site", str).parent


@pytest.fixture(scope="session")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of every tutorial; for slow tests. A folder named by MICROGRAD_NN_SITE is looked at instead."""
    if "MICROGRAD_NN_SITE" in os.environ:
        return Path(os.environ["MICROGRAD_NN_SITE"])
    return _site.write(tutorials(), tmp_path_factory.mktemp("whole") / "site", str).parent
