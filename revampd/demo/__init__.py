"""The demo: two Partners, their Sub-Orgs and nine months of their history.

Everything here comes about by the same verbs as in real use, told as stories. It exists only in
demo mode: `revampd.urls` mounts the pages, `manage.py seed_demo` plays the stories.

    companies.py   who the companies and their people are
    stage.py       the clock of the play, and what a story can let people do
    stories/       what happens, company by company
    seed.py        plays all stories at once, in order of time
    work.py        what the workers do on a day, for the seed and for the clock
    moving.py      moves the clock day by day; clock.py is the page that asks for it
    mailbox.py     the mails that the demo has written to files
"""
