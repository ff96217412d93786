"""Planned maintenance."""
