"""What the scripts that share server connections are made of."""
