"""Django's command line for the control plane. `init_state` runs before any setting is read, because it writes them."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["init_state"]:
        from trustcore.initial_state import main as init_state

        init_state()
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trustcore.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
