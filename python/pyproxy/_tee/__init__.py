"""The parts of the script `tee`."""
