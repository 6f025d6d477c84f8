"""The states of the delivery of a notification by one channel."""

from __future__ import annotations

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class DeliveryState(State):
    """The state of the delivery of one notification by one channel."""

    WAITING = "waiting", "It is sent as soon as it is due; after a refusal, a little later."
    SENT = "sent", "The receiver accepted it."
    FAILED = "failed", "Refused for good, or too often. It waits in the error queue."
    DROPPED = "dropped", "Its user has left, or does not want it any more."


class DeliveryProcess(Process):
    """A notification on its way by e-mail or webhook."""

    _ = States.from_enum(
        DeliveryState,
        initial=DeliveryState.WAITING,
        final=(DeliveryState.SENT, DeliveryState.DROPPED),
    )

    accept = _.WAITING.to(_.SENT)
    give_up = _.WAITING.to(_.FAILED)
    drop = _.WAITING.to(_.DROPPED)
    retry = _.FAILED.to(_.WAITING)


DELIVERY_MACHINE = Machine("delivery", DeliveryProcess, "notification_deliveries")
DELIVERY_STATES = DELIVERY_MACHINE.states
