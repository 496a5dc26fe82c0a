"""Charts: activations, training runs, the health of units, what a classifier makes of the plane."""
