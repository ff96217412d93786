"""Tests mirror core/ and dashboard/ file by file; each is a sentence about behaviour."""
