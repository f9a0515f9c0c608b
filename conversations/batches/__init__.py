"""Batches: a file of questions, answered one by one, whatever is killed meanwhile."""
