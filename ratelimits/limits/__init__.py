"""How often each caller may ask: rules as rows, tiers, and the middleware that counts."""
