"""Repairs: a plan of what would be written, writing it pair by pair, and taking it back."""
