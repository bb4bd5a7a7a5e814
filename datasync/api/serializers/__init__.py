"""What the calls give."""
