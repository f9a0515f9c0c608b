"""What can go wrong at a start, said to the person at the terminal."""


class StartError(Exception):
    """One sentence that names the setting and the cure; `serve` prints it and exits with 1."""


class Stopped(Exception):
    """Ctrl-C or SIGTERM came while something was being waited for; not an error."""
