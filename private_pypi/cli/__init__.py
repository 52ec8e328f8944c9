"""What only looks at a private PyPI: the command, the offline preview and what it prints. Nothing deployed needs it."""
