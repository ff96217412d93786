"""The same truth for machines: the HTTP API, Prometheus' metrics and the badge."""
