"""Runs sessions on both sides."""
