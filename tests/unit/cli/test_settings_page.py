from __future__ import annotations

import pytest

from lbcontroller.cli.flags import duration_text
from lbcontroller.cli.settings_page import settings_page
from lbcontroller.settings import Settings


def row(flag: str) -> list[str]:
    [found] = [line for line in settings_page().splitlines() if line.startswith(f"| `{flag}`")]
    return [cell.strip() for cell in found.strip("|").split(" | ")]


@pytest.mark.parametrize("seconds", [0.0, 0.5, 15.0, 60.0, 120.0, 1000.0, 36000.0, 3661.5])
def test_a_duration_is_written_as_the_flag_takes_it(seconds: float) -> None:
    settings = Settings.parse({"cluster-name": "yard", "sync-period": duration_text(seconds)})

    assert settings.sync_period == seconds


def test_a_flag_is_shown_with_its_variable_type_and_default() -> None:
    assert row("--sync-period")[1:4] == ["`LBCONTROLLER_SYNC_PERIOD`", "duration", "`10h`"]
    assert row("--cluster-name")[2:4] == ["text", "required"]
    assert row("--enable-leader-election")[2:4] == ["boolean", "`true`"]
    assert row("--default-target-type")[2:4] == ["`instance` or `ip`", "`instance`"]
    assert row("--default-tags")[2:4] == ["map", ""]


def test_a_default_that_differs_from_lbc_says_so() -> None:
    assert "ELBSecurityPolicy-2016-08" in row("--default-ssl-policy")[4]


def test_a_setting_that_nothing_reads_yet_names_the_feature_it_waits_for() -> None:
    assert row("ALBGatewayAPI")[2].endswith("without effect until this is built: Gateway API.")


def test_every_flag_and_gate_is_on_the_page() -> None:
    page = settings_page()

    for name in Settings.model_fields:
        assert f"| `--{name.replace('_', '-')}` |" in page
