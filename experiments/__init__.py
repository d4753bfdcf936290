"""What a person runs: the command `mbgen`, its pictures and its benchmarks."""
