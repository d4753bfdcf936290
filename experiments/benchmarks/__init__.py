"""How fast the wings are on this machine."""
