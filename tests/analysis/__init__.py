"""Figures over time against naive computations, row by row."""
