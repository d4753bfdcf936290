"""The version of what runs compute, by which results that belong together are told from others."""

RESULTS_VERSION = 2
"""Raised when a change alters what a run computes beyond rounding; a commit alone does not raise it.

2: the reward and continuation networks of latent models read the action too.
"""
