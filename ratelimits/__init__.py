"""How much each person may ask for."""
