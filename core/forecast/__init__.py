"""What the next hours and days may bring, and whether anybody should believe it."""
