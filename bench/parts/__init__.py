"""What `make bench` measures, a module for each part. One says in a line why it is left out where it cannot be run."""
