"""A stand-in for the AWS provider's plugin, so that a run of the integration tests is the same everywhere.

It speaks Pulumi's provider protocol and makes the calls to AWS that the real provider makes (`calls.py`), with boto3.
What it knows is what this project uses: the types of `resources.py` and the functions of `functions.py`. It refuses any
other, and any input and any setting of the provider that it does not know, so that nothing is ignored in silence.
"""
