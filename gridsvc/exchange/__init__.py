"""Plans and snapshots out to the world."""
