"""The roles that people have; each is a group of Django's, so that the admin hands them out."""

ROLES = ("admin", "manager", "finance", "operator", "premium", "normal")
