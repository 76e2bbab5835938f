"""Pages that bring the apps together: home, overview, Sub-Orgs, the site's own answers."""
