"""Pure: a desired stack and what is observed become the steps between them."""
