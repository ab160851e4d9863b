"""Annotations, declared once: parsing, messages, reference page, schema and merging follow from a field."""
