"""The revision of the rules of the calculation, by which it is known how a run was calculated."""

from __future__ import annotations

RULES = {
    1: "The district of a patient's home, or of a clinic, pays.",
    2: "The county pays for its districts, unless the tariff names the district.",
    3: "Fields of a group unite record by record, and WITH asks for what one record holds.",
}
"""What each revision brought. A change after which some month would be charged otherwise than
before gets the next number here."""
RULES_REVISION = max(RULES)


def rules_since(revision: int) -> list[str]:
    """What changed in the rules after a revision, the earliest first."""
    return [text for number, text in sorted(RULES.items()) if number > revision]
