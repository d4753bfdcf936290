"""One file for each subcommand of `mbgen`, and what they share: options, and what a terminal shows."""
