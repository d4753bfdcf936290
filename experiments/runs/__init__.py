"""A run: its settings as plain data, its folder, and the loop that carries it out."""
