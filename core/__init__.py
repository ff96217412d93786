"""What is true about the coupling of progress and licences: databases, files and time, no user interface."""
