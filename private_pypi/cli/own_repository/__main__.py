"""The Pulumi program: one private PyPI, as the stack's config describes it."""

import pulumi

from private_pypi import PrivatePypi, load_args

for name, value in PrivatePypi("private-pypi", load_args()).outputs.items():
    pulumi.export(name, value)
