"""Everything that knows boto3: clients, calls, what exists in AWS, and how steps are carried out there."""
