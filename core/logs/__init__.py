"""Violation logs: writing one, reading everybody's, taking others' into history, keeping old ones by month."""
