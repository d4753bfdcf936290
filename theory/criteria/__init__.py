"""What data leave open, and the three parts of the theorem decided on that."""
