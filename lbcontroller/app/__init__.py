"""The only place that constructs things: the program as a whole."""
