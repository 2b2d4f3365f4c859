"""Read/write splitting: one client's session, on whatever server connection its commands run. See `splitter`."""
