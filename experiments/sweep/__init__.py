"""Many runs: which there are, and what carries them out."""
