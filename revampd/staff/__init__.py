"""Revampd's own people: which roles they have and what each may do in the admin."""
