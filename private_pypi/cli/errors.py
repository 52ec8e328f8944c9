"""What the commands raise for the user to read: each text is printed as it is, after `error:`."""


class CommandError(Exception):
    """A command cannot do what it was asked to do."""


class StackFileError(CommandError):
    """A project or stack file that is missing or cannot be read, or a revision of it."""


class MistakesError(CommandError):
    """The program refuses its config, or fails, or is none of a private PyPI."""
