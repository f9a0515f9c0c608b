"""Comparing log, projections and snapshots, and making right what is wrong."""
