"""Archives of files and rows, made in the background and downloaded by an expiring link."""
