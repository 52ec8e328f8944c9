"""How fast the program is, next to what else could be run: `make bench`. README.md says what is measured."""
