"""Pages for a browser, each one file that needs no network: the report, a question with its answer, the explorer."""
