"""Forecasts: shown where they beat the simple guesses, refused where they do not."""
