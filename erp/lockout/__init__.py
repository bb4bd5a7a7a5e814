"""Nobody guesses passwords for long: after some failures a name may not sign in from that address for a while.

django-axes keeps the failures, in the database; what is here fits it to both doors, the API's and the admin's.
"""
