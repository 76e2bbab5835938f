"""One search over what a person may see: connections, invoices, requests, people, and pages.

Each noun has a file that says how its rows are shown; which rows they are, the query sets of the
models say (`found`), and they never look beyond the connections of the person who asks.
"""

from .finding import Group, connected, find
from .places import places

__all__ = ["Group", "connected", "find", "places"]
