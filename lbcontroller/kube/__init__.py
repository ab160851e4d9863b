"""The API server as the controller sees it."""
