"""What the scripts that keep something in Redis have in common."""
