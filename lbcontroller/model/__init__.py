"""The AWS vocabulary: desired resources, observed resources, facts, tags, attributes and limits."""
