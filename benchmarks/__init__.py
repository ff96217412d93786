"""How long the check takes beside what one could do instead; `python -m benchmarks` from the checkout."""
