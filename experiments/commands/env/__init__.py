"""The environments: one file for each subcommand of `mbgen env`."""
