"""Who collects: the accounts at the platforms, and the versions of the collecting components."""
