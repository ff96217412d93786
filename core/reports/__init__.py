"""Reports for people who never log in: what a period was like, in words and pictures, and how to recompute it."""
