#!/usr/bin/env python3
"""Django's command line for Revampd: `manage.py migrate`, `manage.py shell` and the like."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revampd.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
