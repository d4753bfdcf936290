"""One file for each subcommand of `mbgen`, and what they print; only `experiments.cli` imports them."""
