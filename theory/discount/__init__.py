"""Where in gamma the answers change."""
