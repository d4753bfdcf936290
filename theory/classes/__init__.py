"""What M can be: transition functions, rewards and a discount; the built-in classes, and classes in files."""
