"""Random sessions, run directly on a server and through the splitter, whose answers must be the same."""
