"""Submit, claim, execute, finish, close: how what was asked for becomes done, once."""
