import re
from dataclasses import asdict

import pytest

from proxx_worker.feeding.orders import Beside, Directory, Mirror
from proxx_worker.feeding.rules import REMEDIES, Rule, RulesError, read_rules

RULE = """
[[rule]]
watch = "/mnt/in"
profiles = ["proxy_h264_low", "proxy_prores_proxy"]
output = "beside"
output_directory = "Proxy"
"""


def rule(**changes: str) -> bytes:
    """The rule with some values as TOML writes them; None leaves a key out."""
    values = {
        "watch": '"/mnt/in"', "profiles": '["proxy_h264_low"]', "output": '"flat"', "output_directory": '"/mnt/out"', **changes,
    }  # fmt: skip
    return ("[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value)).encode()


def test_a_rule_has_the_defaults_of_the_contract() -> None:
    (found,) = read_rules(RULE.encode())
    assert (found.recursive, found.create_directories, found.extensions, found.settle_seconds) == (True, False, None, 30.0)
    assert found.order.destination == Beside("Proxy")
    assert found.order.profiles == ("proxy_h264_low", "proxy_prores_proxy")


def test_every_key_is_read() -> None:
    more = {"recursive": "false", "create_directories": "true", "extensions": '["mov", "MXF"]', "settle_seconds": "5"}
    (found,) = read_rules(rule(output='"mirror"', **more))
    assert (found.recursive, found.create_directories, found.extensions, found.settle_seconds) == (
        False,
        True,
        ("mov", "MXF"),
        5.0,
    )
    assert found.order.destination == Mirror("/mnt/out")
    assert read_rules(rule())[0].order.destination == Directory("/mnt/out")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "rule: is missing"),
        (b"rule = []", "rule: must not be empty"),
        (b"rule = 'x'", "rule: must be a list"),
        (b"watch = '/x'\n" + rule(), "watch: unknown key (known: rule)"),
        (b"\xff", "not TOML"),
        (b"[[rule", "not TOML"),
        (b"a = " + b"[" * 5000, "not TOML"),
        (rule(extensions='["*.mov"]'), "rule[0].extensions[0]: must be an extension such as"),
        (rule(extensions="[]"), "rule[0].extensions: must not be empty"),
        (rule(watch='"in"'), "rule[0].watch: must be an absolute path"),
        (rule(watch=""), "rule[0].watch: is missing"),
        (rule(profile='"x"'), "rule[0].profile: unknown key (known: watch, profiles"),
        (rule(profiles="[]"), "rule[0].profiles: must not be empty"),
        (rule(profiles='["proxy_best"]'), "rule[0].profiles[0]: there is no profile proxy_best"),
        (rule(profiles='["proxy_prores_lt_resolve"]'), "needs a render preset"),
        (rule(profiles='["proxy_h264_low", "proxy_h264_quarter"]'), "give each its own rule"),
        (rule(output='"above"'), "rule[0].output: must be 'beside', 'mirror' or 'flat'"),
        (rule(output='"beside"'), "rule[0].output_directory: must be a single folder name"),
        (rule(output='"beside"', output_directory='".."'), "must be a single folder name"),
        (rule(output_directory='"out"'), "rule[0].output_directory: must be an absolute path"),
        (rule(output_directory='"/mnt/in"'), "rule[0].output_directory: proxies in /mnt/in itself could not be told apart"),
        (rule(settle_seconds="-1"), "rule[0].settle_seconds: must be at least 0"),
        (rule(settle_seconds="90000"), "rule[0].settle_seconds: must be at most 86400"),
        (rule(settle_seconds="inf"), "rule[0].settle_seconds: must be a finite number"),
        (rule(settle_seconds='"soon"'), "rule[0].settle_seconds: must be a number"),
        (rule(recursive="1"), "rule[0].recursive: must be true or false"),
        (rule(watch="1"), "rule[0].watch: must be text in quotes"),
        (b"rule = ['x']", "rule[0]: must be a table"),
        (rule() + rule(output_directory='"/mnt/other"'), "two rules make proxy_h264_low"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(text: bytes, says: str) -> None:
    with pytest.raises(RulesError) as caught:
        read_rules(text)
    assert says in str(caught.value)


def test_a_list_of_faulty_members_is_not_called_empty() -> None:
    with pytest.raises(RulesError) as caught:
        read_rules(rule(profiles="[]", output_directory='""'))
    assert str(caught.value) == "rule[0].profiles: must not be empty; rule[0].output_directory: must not be empty"


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RulesError) as caught:
        read_rules(rule(watch='"in"', output='"above"'))
    assert "rule[0].watch" in str(caught.value)
    assert "rule[0].output" in str(caught.value)


def test_one_folder_under_two_names_is_one_folder() -> None:
    links = {"/mnt/link": "/mnt/in", "//mnt/in": "/mnt/in"}
    for name in links:
        with pytest.raises(RulesError, match="could not be told apart"):
            read_rules(rule(output_directory=f'"{name}"'), lambda path: links.get(path, path))
    with pytest.raises(RulesError, match="two rules make proxy_h264_low"):
        read_rules(rule() + rule(watch='"/mnt/link"', output_directory='"/x"'), lambda path: links.get(path, path))


def test_remedies_name_only_keys_that_a_rule_has() -> None:
    for remedy in asdict(REMEDIES).values():
        assert set(re.findall(r"`(\w+)`", remedy)) <= set(Rule.model_fields)
        assert "template" not in remedy
