"""A small client that shows answers as they are: every field of every packet."""
