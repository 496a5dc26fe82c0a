"""The neuron diagram: a column a layer, a circle or a map a unit, a line a weight."""
