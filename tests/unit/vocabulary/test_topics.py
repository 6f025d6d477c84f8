"""Only topics that can concern somebody are offered to them."""

from __future__ import annotations

import pytest

from core.access.scope import Membership, Scope
from core.notifications.choices import topics_for
from core.vocabulary.permissions import Kind
from core.vocabulary.topics import Topic

EVERYBODYS = {Topic.REPORTS, Topic.DEADLINES}


@pytest.mark.parametrize(
    ("role", "kind", "besides"),
    [
        ("provider", Kind.PROVIDER_PLUS, {Topic.UPLOADS, Topic.SUBMISSIONS}),
        ("provider", Kind.READ_ONLY, {Topic.SUBMISSIONS}),
        ("commissioner", Kind.COMMISSIONER, set()),
        ("operator", Kind.OPERATOR, {Topic.OPERATIONS}),
        ("administrator", Kind.ADMINISTRATOR, {Topic.OPERATIONS}),
    ],
)
def test_topics_follow_what_one_may_do(role: str, kind: Kind, besides: set[Topic]) -> None:
    of_an_organisation = role in ("provider", "commissioner")
    organisation = 7 if of_an_organisation else None
    code = "ZX1" if of_an_organisation else None
    scope = Scope(1, (Membership(role, organisation, code, code, kind),))
    assert set(topics_for(scope)) == EVERYBODYS | besides
