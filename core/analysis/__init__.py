"""Figures over time, computed from the timeline. Pure: no clock, no database, no files."""
