"""What referrals earn: terms frozen, shares collected, periods closed and credited."""
