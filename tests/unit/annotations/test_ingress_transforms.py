from __future__ import annotations

import json

import pytest

from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.ingress_transforms import TRANSFORMS
from lbcontroller.model.rule_conditions import HostRewrite, Rewrite, UrlRewrite

REWRITES = {"rewrites": [{"regex": "^/api/(.*)$", "replace": "/$1"}]}
REWRITE = Rewrite(regex="^/api/(.*)$", replacement="/$1")


def faults(*transforms: object) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        TRANSFORMS.decode(json.dumps(transforms))
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


def test_both_types_are_read_in_their_order() -> None:
    raw = json.dumps(
        [
            {"type": "url-rewrite", "urlRewriteConfig": REWRITES},
            {"type": "host-header-rewrite", "hostHeaderRewriteConfig": REWRITES},
        ]
    )
    read = (UrlRewrite(rewrites=(REWRITE,)), HostRewrite(rewrites=(REWRITE,)))
    assert TRANSFORMS.decode(raw) == read
    assert TRANSFORMS.decode(TRANSFORMS.encode(read)) == read


def test_member_names_may_be_in_any_case() -> None:
    raw = '[{"TYPE":"url-rewrite","UrlRewriteConfig":{"Rewrites":[{"Regex":"a","REPLACE":""}]}}]'
    assert TRANSFORMS.decode(raw) == (UrlRewrite(rewrites=(Rewrite(regex="a", replacement=""),)),)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ({}, "[0].type is required"),
        (
            {"type": "path-rewrite"},
            (
                "[0].type must be host-header-rewrite or url-rewrite, not 'path-rewrite' | "
                "did you mean 'url-rewrite'?"
            ),
        ),
        ({"type": "url-rewrite"}, "[0] must have urlRewriteConfig"),
        (
            {"type": "url-rewrite", "urlRewriteConfig": REWRITES, "hostHeaderRewriteConfig": REWRITES},
            "[0] must leave out hostHeaderRewriteConfig, which does not belong to type url-rewrite",
        ),
        (
            {"type": "url-rewrite", "urlRewriteConfig": {"rewrites": []}},
            "[0].urlRewriteConfig.rewrites must not be empty",
        ),
        (
            {"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "a"}]}},
            "[0].urlRewriteConfig.rewrites[0].replace is required",
        ),
        (
            {"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "", "replace": ""}]}},
            (
                "[0].urlRewriteConfig.rewrites[0].regex must be a regular expression of 1 to 1024 "
                "characters, not ''"
            ),
        ),
        (
            {"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "a", "replacement": "b"}]}},
            "[0].urlRewriteConfig.rewrites[0].replace is required",
        ),
    ],
)
def test_wrong_transforms_are_refused(transform: object, expected: str) -> None:
    assert faults(transform)[0] == expected


def test_unknown_members_are_refused_with_the_nearest_name() -> None:
    assert faults({"type": "url-rewrite", "urlRewritesConfig": REWRITES}) == [
        "[0].urlRewritesConfig is not known here | did you mean 'urlRewriteConfig'?"
    ]
