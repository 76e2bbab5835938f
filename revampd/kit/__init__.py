"""The kit: errors, locking, money, constraints, web helpers. It imports no app of this project."""
