"""The normal form that every front end reaches, whatever its users write; precedence is decided by then."""
