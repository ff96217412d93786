"""What holds on every engine that we support: SQLite and PostgreSQL."""
