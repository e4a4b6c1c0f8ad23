#!/usr/bin/env python
"""Every command of the help desk. Beside a running `make run` it uses its servers; alone it starts its own."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    if sys.argv[1:2] == ["up"]:
        from helpdesk.embedded.supervisor import main as up

        sys.exit(up(sys.argv[2:]))  # it imports no Django: it starts sooner, and stays small

    from helpdesk.embedded.alone import take_servers_for

    servers = take_servers_for(sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    if servers:
        servers.leave()


if __name__ == "__main__":
    main()
