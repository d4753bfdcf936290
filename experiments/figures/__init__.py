"""The pictures, in one look."""
