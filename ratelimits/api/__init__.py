"""Rate limits over HTTP: the rules, what they refused, and what is left to whoever asks."""
