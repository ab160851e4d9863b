"""What a laptop and the tests run on: an API server and an AWS, both embedded, both on loopback only."""
