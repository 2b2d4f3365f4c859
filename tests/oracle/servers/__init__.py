"""The servers of a run: A alone, B and its replica C, and the proxy before B and C."""
