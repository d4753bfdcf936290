"""The environments: one file for each subcommand of `mbgen env`, but for `coverage`, which is beside `tabular`."""
