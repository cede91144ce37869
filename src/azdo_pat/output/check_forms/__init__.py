"""Write findings for other programs: one module for each format of `pat check --as`.

Names come from the service: in every format they are written by `sanitize.without_commands` and
escaped as the format requires, so that they act on no terminal, runner or reader.
"""
