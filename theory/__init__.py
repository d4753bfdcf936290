"""Theorem 1 checked exactly: what a dataset leaves open to a model and to the Bellman equation alone."""
