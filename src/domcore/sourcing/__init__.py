"""Where could it come from, what would it cost, what is best: pure functions over a snapshot."""
