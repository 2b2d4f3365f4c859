"""The parts of the script `result_cache`."""
