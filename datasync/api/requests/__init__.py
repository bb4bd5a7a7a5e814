"""What the calls take, by room."""
