"""What every API of the product has in common: envelope, errors, pages, sign-in, and how it is documented."""
