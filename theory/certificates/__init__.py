"""Smallest datasets that show part 2, and certificates of them that a program of its own checks."""
