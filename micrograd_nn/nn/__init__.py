"""Networks, assembled from graph operations."""

from micrograd_nn.nn._activations import ACTIVATIONS
from micrograd_nn.nn._dense import MLP, Layer, Neuron
from micrograd_nn.nn._module import Module, Summary

__all__ = ["ACTIVATIONS", "MLP", "Layer", "Module", "Neuron", "Summary"]
