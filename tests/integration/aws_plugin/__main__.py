"""The process that the Pulumi CLI starts: it prints the port it serves on, and ends when it is interrupted."""

from aws_plugin.server import serve

if __name__ == "__main__":
    serve()
