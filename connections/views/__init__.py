"""Pages about people and organizations, one module a noun."""
