"""The floor under a page: what any team's first Django list page does, and not more.

A session, a user, three queries, 25 rows of model instances in a template with a menu of ten; the
middleware that Django proposes. No tenants, no permissions, no icons.
"""
