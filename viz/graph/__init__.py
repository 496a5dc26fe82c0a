"""Computation graphs: from nodes, a model or a check to a scene, its layout and its drawing."""
