"""The sweep marks running flows without the lock of their run as dead: every flow must hold it."""

from __future__ import annotations

import ast

import pytest
import yaml

from core.settings import PROJECT

ENTRYPOINTS = sorted(
    each["entrypoint"]
    for each in yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
)
HOLDING_THE_LOCK = {"flow_run_lock", "run_exclusively"}


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS)
def test_a_flow_holds_the_lock_of_its_run(entrypoint: str) -> None:
    path, name = entrypoint.split(":")
    module = ast.parse((PROJECT / path).read_text())
    [flow] = [
        each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == name
    ]
    called = {
        node.func.id
        for node in ast.walk(flow)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called & HOLDING_THE_LOCK
