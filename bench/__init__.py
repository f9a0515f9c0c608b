"""Measurements behind the project's figures (docs/benchmarks.md); `make bench` takes those that have targets."""
