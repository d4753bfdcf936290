"""Theorem 1 and what surrounds it, proved in Coq: docs/proofs.md. `check` compiles the proofs and looks for holes."""
