from __future__ import annotations

from importlib.util import find_spec

NEEDED = ("hcl2", "helm_python", "kubernetes_validate", "promql_parser")
"""What `make test-chart` installs."""

collect_ignore_glob = [] if all(find_spec(name) for name in NEEDED) else ["test_*.py"]
