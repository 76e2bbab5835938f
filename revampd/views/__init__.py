"""Pages that bring the apps together: home, overview, Sub-Orgs; and what the site itself answers."""
