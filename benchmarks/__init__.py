"""How long the check takes beside what one could do instead, and how the HTTP API bears load; `python -m benchmarks`."""
