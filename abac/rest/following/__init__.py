"""What changed, told as it happens, and the open sessions that are decided again by it."""
