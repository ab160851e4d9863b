"""What the controller tells its operators: logs and metrics."""
