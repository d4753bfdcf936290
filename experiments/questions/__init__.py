"""Questions: does a learned model help here? Planned, asked in groups of seeds, and answered with reasons."""
