"""How fast the wings are on this machine, and how often an answer of `mbgen ask` would be false: `mbgen bench`."""
