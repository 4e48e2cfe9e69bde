"""What happens to invoices, told as it happens: as Server-Sent Events, and over a WebSocket."""

import re
from datetime import datetime
from functools import partial
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Header, Request, WebSocket
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from ..accounts.public import BearerToken, MissingRoleError, MissingScopeError, Reader
from ..core.database import SessionDependency, transaction
from ..core.openapi import problems
from ..core.problems import Problem
from ..events.public import EventStream, Feed, UnknownEventError, describe, serve, socket_token
from . import permissions
from .permissions import Action
from .schemas import EXAMPLE, InvoiceOut

KIND = "invoice."
InvoiceEventType = Literal["invoice.created", "invoice.paid", "invoice.voided"]
_EXAMPLE: JsonDict = {
    "id": 42,
    "type": "invoice.created",
    "created_at": "2026-01-31T12:00:00Z",
    "data": EXAMPLE,
}


class InvoiceEvent(BaseModel):
    """What happened to an invoice, and what the invoice has been since."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: Annotated[int, Field(ge=1, description="Grows with each event of the organization.")]
    type: InvoiceEventType
    created_at: datetime
    data: InvoiceOut


def _schema() -> JsonDict:
    schema: JsonDict = InvoiceEvent.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    # They are among the components, where other routes need them too.
    del schema["$defs"]
    return schema


EVENTS = describe(
    (get_args(InvoiceEventType), _schema()),
    description="Events, and comments while there are none, until the token ends or the server restarts.",
)
ID_PATTERN = "^[0-9]{1,18}$"
# None stands for what was not sent; the contract knows no null here.
LastEventIdHeader = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": ID_PATTERN}),
    Header(
        alias="Last-Event-ID",
        pattern=ID_PATTERN,
        description="The `id` that came last: the stream goes on behind it. Without it, it begins now.",
    ),
]

_permit = partial(permissions.require, action=Action.READ)
router = APIRouter(prefix="/invoices/events", tags=["invoices"])
# It asks for the token itself: a WebSocket may bring it in another way.
sockets = APIRouter(prefix="/api/v1/invoices/events")


@router.get(
    "",
    response_class=EventStream,
    responses={200: EVENTS, **problems(422, UnknownEventError, MissingScopeError, MissingRoleError)},
)
async def follow(
    actor: Reader,
    token: BearerToken,
    request: Request,
    session: SessionDependency,
    last_event_id: LastEventIdHeader = None,
) -> EventStream:
    """What happens to the organization's invoices, as Server-Sent Events.

    Connect again with `Last-Event-ID` whenever the connection ends, and nothing is missed or comes twice. The
    last 10 000 events are kept; going on from an older one, or from one that never was, is a 409.

    `/api/v1/invoices/events/ws` is the same as a WebSocket, whose messages are what is in `data` here. The
    token comes as the header `Authorization` or, from a page, as the subprotocols `bearer` and the token
    itself, and the id as the parameter `last_event_id`. It is closed with 1008 when the token has ended,
    1012 when the server restarts, and 1013 when the client was too slow.
    """
    feed = await Feed.open(
        request,
        session,
        token=token,
        last_event_id=last_event_id,
        kind=KIND,
        permit=_permit,
        actor=actor,
    )
    return EventStream(feed.frames())


@sockets.websocket("/ws")
async def follow_by_socket(websocket: WebSocket) -> None:
    token, subprotocol = await socket_token(websocket)
    last_event_id = websocket.query_params.get("last_event_id")
    if last_event_id is not None and not re.fullmatch(ID_PATTERN, last_event_id):
        raise Problem(422, "The parameter last_event_id is the id of an event, which is a number.")
    async with transaction(websocket.state.sessions, writes=False) as session:
        feed = await Feed.open(
            websocket, session, token=token, last_event_id=last_event_id, kind=KIND, permit=_permit
        )
    await serve(websocket, feed, subprotocol=subprotocol)
