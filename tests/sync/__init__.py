"""Repairs, against real databases."""
