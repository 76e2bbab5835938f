"""Documents as PDF: what stands on them, and how they look."""

from .content import Credit, InvoiceContent, Line, Organization, Payment
from .rendering import render, render_apart

__all__ = [
    "Credit",
    "InvoiceContent",
    "Line",
    "Organization",
    "Payment",
    "render",
    "render_apart",
]
