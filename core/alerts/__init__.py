"""Somebody is told: rules, incidents, and the messages about them."""
