"""From arrays to numbers: statistics, reference performances, learning curves, verdicts."""
