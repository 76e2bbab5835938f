"""Invoices and credit notes as PDF: what stands on them, and how they look."""

from .content import Credit, InvoiceContent, Line, Organization, Payment
from .rendering import render

__all__ = ["Credit", "InvoiceContent", "Line", "Organization", "Payment", "render"]
