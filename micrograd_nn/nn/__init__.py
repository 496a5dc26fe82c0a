"""Networks, assembled from graph operations."""

from micrograd_nn.nn import init, utils
from micrograd_nn.nn._activations import ACTIVATIONS, PReLU
from micrograd_nn.nn._dense import Layer, Linear, Maxout, Neuron
from micrograd_nn.nn._mlp import MLP, Sequential
from micrograd_nn.nn._module import Module, Summary
from micrograd_nn.nn._network import Network
from micrograd_nn.nn._noise import Dropout, GaussianNoise
from micrograd_nn.nn._penalty import l1_penalty, l2_penalty

__all__ = [
    "ACTIVATIONS", "MLP", "Dropout", "GaussianNoise", "Layer", "Linear", "Maxout", "Module", "Network", "Neuron",
    "PReLU", "Sequential", "Summary", "init", "l1_penalty", "l2_penalty", "utils",
]  # fmt: skip
