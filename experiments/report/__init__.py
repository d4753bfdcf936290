"""Pages for a browser, each one file that needs no network: the report, and the explorer of Theorem 1."""
