"""What limits refused: noted in the process, written once a second, counted by day, and judged by the hour."""
