"""The parts of the script `http_policy`."""
