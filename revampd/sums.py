"""What is added up over all customers is forgotten with every event that changes what runs."""

from billing.revenue import forget

__all__ = ["forget"]
