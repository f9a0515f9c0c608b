"""Folded states: stored from time to time, so that the state at any seq is the nearest one and what came after it."""
