"""What the ready-made scripts share: answers, and lines for the log."""
