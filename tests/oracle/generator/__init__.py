"""Makes sessions: what clients do, one step after the other, from a seed."""
