"""How complete the data is, and whether the books add up."""
