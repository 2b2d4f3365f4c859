"""Reading SQL texts for the ready-made scripts and `pyproxy.parser`."""
