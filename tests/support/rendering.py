"""JSON as golden files hold it."""

from __future__ import annotations

import json
from typing import Any


def as_text(data: Any) -> str:
    """Return JSON data as a golden file holds it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
