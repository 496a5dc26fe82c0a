"""Data to learn from: points in the plane, flowers, digits and your own tables; and ways to cut data up."""

from micrograd_nn.data._arrays import DataError, Scale, batches, paired, standardised, train_test_split
from micrograd_nn.data._datasets import NAMES, Dataset, load, load_digits, load_iris
from micrograd_nn.data._points import make_blobs, make_circles, make_moons, make_spirals, make_xor
from micrograd_nn.data._tables import Table, read_table

__all__ = [
    "NAMES", "DataError", "Dataset", "Scale", "Table", "batches", "load", "load_digits", "load_iris", "make_blobs",
    "make_circles", "make_moons", "make_spirals", "make_xor", "paired", "read_table", "standardised",
    "train_test_split",
]  # fmt: skip
