"""Claims that need no statistics: Theorem 1, its proof, and the identities of replay and planning."""
