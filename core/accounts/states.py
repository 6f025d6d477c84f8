"""The states of a subscription; its dates decide, a daily flow notices."""

from __future__ import annotations

from statemachine.states import States

from core.states import Machine, Process, State


class SubscriptionState(State):
    """Where a subscription stands."""

    QUOTED = "quoted", "A quotation was sent. It begins once it is accepted."
    INVOICED = "invoiced", "The invoice was sent. It begins on its first day."
    ACTIVE = "active", "In force."
    ENDING = "ending", "In force, and ends soon unless it is renewed."
    ENDED = "ended", "No longer in force."


class SubscriptionProcess(Process):
    """A subscription of an organisation."""

    _ = States.from_enum(
        SubscriptionState, initial=SubscriptionState.QUOTED, final=SubscriptionState.ENDED
    )

    invoice = _.QUOTED.to(_.INVOICED)
    begin = _.INVOICED.to(_.ACTIVE)
    near_the_end = _.ACTIVE.to(_.ENDING)
    renew = _.ENDING.to(_.ACTIVE)
    end = _.ENDING.to(_.ENDED)


SUBSCRIPTION_MACHINE = Machine("subscription", SubscriptionProcess)
