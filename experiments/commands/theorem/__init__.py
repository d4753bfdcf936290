"""Theorem 1, checked exactly over classes of small MDPs: one file for each subcommand of `mbgen theorem`."""
