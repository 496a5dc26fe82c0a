"""A user's own table under the name the command line knows it by; it lives in `micrograd_nn.data`."""

from micrograd_nn.data import Table, read_table

__all__ = ["Table", "read_table"]
