"""What read/write splitting costs: `scripts/bench.sh --splitting`."""
