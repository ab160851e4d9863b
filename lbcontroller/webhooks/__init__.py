"""Admission webhooks: what objects get, and what is refused, before they are stored.

The decisions are pure functions from object to object; around them are the codec of AdmissionReviews, one
table of webhooks, and an HTTPS server that every replica runs. Nothing here ever asks the API server, which
waits for the answer.
"""
