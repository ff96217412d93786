"""The state database: this product's own tables, one module for each kind of record."""
