"""Measurements behind the project's figures; run by `make bench`."""
