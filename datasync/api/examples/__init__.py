"""The examples of the API's document, by room."""
