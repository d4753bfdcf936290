"""One file for each experiment: what is run, how it is analysed, drawn and judged."""
