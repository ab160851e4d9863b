from __future__ import annotations

import pytest

for needed in ("helm_python", "kubernetes_validate", "promql_parser"):
    pytest.importorskip(needed, reason="make test-chart installs it")
