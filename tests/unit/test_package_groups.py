import json

import pytest

from private_pypi.package_groups import desired_state, distinct, pattern, reserved


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ([], []),
        (["beta", "acme-core"], ["acme-core", "beta"]),
        (["acme-core", "acme-core"], ["acme-core"]),
        (["acme-core", "acme-*"], ["acme-*"]),
        (["acme", "acme-*"], ["acme-*"]),
        (["acme-core-*", "acme-*", "acme-*"], ["acme-*"]),
        (["acmecorp", "acme-*"], ["acme-*", "acmecorp"]),
        (["acme-core", "acme-core-*", "acmecorp", "acme-corp"], ["acme-core-*", "acme-corp", "acmecorp"]),
    ],
)
def test_what_a_prefix_takes_in_is_one_group(names: list[str], groups: list[str]) -> None:
    assert distinct(names) == groups
    assert distinct(names[::-1]) == groups


@pytest.mark.parametrize(
    ("name", "pattern_", "names"),
    [
        ("acme-core", "/pypi//acme-core$", ["acme-core"]),
        ("acme-*", "/pypi//acme~", ["acme", "acme-*"]),
        ("acme-core-*", "/pypi//acme-core~", ["acme-core", "acme-core-*"]),
    ],
)
def test_a_pattern_takes_in_whole_words(name: str, pattern_: str, names: list[str]) -> None:
    assert pattern(name) == pattern_
    assert [*reserved(pattern_)] == names


def test_a_package_group_takes_what_is_published_here_and_nothing_of_public_pypi() -> None:
    assert desired_state("acme-core", domain_name="acme", domain_owner=None, tags={}) == (
        '{"DomainName":"acme","Pattern":"/pypi//acme-core$","OriginConfiguration":{"Restrictions":{'
        '"Publish":{"RestrictionMode":"ALLOW"},'
        '"ExternalUpstream":{"RestrictionMode":"BLOCK"},'
        '"InternalUpstream":{"RestrictionMode":"ALLOW"}}}}'
    )


def test_a_package_group_of_another_accounts_domain_names_its_owner() -> None:
    state = desired_state("acme-*", domain_name="acme", domain_owner="444455556666", tags={"team": "a", "cost": "12"})

    assert json.loads(state) == {
        "DomainName": "acme",
        "DomainOwner": "444455556666",
        "Pattern": "/pypi//acme~",
        "OriginConfiguration": {
            "Restrictions": {
                "Publish": {"RestrictionMode": "ALLOW"},
                "ExternalUpstream": {"RestrictionMode": "BLOCK"},
                "InternalUpstream": {"RestrictionMode": "ALLOW"},
            }
        },
        "Tags": [{"Key": "cost", "Value": "12"}, {"Key": "team", "Value": "a"}],
    }


def test_a_package_group_has_no_tag_without_a_value() -> None:
    def made(**tags: str) -> str:
        return desired_state("acme-*", domain_name="acme", domain_owner=None, tags=tags)

    assert made(team="a", cost="") == made(team="a") != made()
    assert made(cost="") == made()
