"""The state database on both engines."""
