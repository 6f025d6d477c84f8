"""The states of a subscription, which follow from its dates and are updated daily."""

from __future__ import annotations

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class SubscriptionState(State):
    """The state of a subscription."""

    QUOTED = "quoted", "A quotation was made. It begins once it is accepted and invoiced."
    INVOICED = "invoiced", "The invoice was sent. It begins on its first day."
    ACTIVE = "active", "In force."
    ENDING = "ending", "In force, and ends soon unless it is renewed."
    ENDED = "ended", "No longer in force."


class SubscriptionProcess(Process):
    """A subscription of a person in an organisation. A renewal is a subscription of its own."""

    _ = States.from_enum(
        SubscriptionState, initial=SubscriptionState.QUOTED, final=SubscriptionState.ENDED
    )

    invoice = _.QUOTED.to(_.INVOICED)
    withdraw = _.QUOTED.to(_.ENDED)
    begin = _.INVOICED.to(_.ACTIVE)
    give_up = _.INVOICED.to(_.ENDED)
    near_the_end = _.ACTIVE.to(_.ENDING)
    end_early = _.ACTIVE.to(_.ENDED)
    extend = _.ENDING.to(_.ACTIVE)
    end = _.ENDING.to(_.ENDED)


SUBSCRIPTION_MACHINE = Machine("subscription", SubscriptionProcess, "subscriptions")
