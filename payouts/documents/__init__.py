"""The statement of a payout as PDF: what stands on it, and how it looks."""
