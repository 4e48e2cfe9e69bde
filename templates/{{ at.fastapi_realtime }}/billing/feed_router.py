"""Routes: the events of invoices, as Server-Sent Events and over a WebSocket."""

import re
from datetime import datetime
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Header, Request, WebSocket
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from ..accounts.public import BearerToken, MissingScopeError, Reader, authenticate_reader
from ..core.openapi import problems
from ..core.problems import Problem
from ..events.public import EventStream, Feed, UnknownEventError, message, serve, socket_token, stream_of
from .schemas import EXAMPLE, InvoiceOut

KIND = "invoice."
InvoiceEventType = Literal["invoice.created", "invoice.paid", "invoice.voided"]
ID_PATTERN = "^[0-9]{1,18}$"
_EXAMPLE: JsonDict = {
    "id": 42,
    "type": "invoice.created",
    "created_at": "2026-01-31T12:00:00Z",
    "data": EXAMPLE,
}


class InvoiceEvent(BaseModel):
    """A change of an invoice, and the invoice afterwards."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: Annotated[int, Field(ge=1, description="Increases with each event of the organization.")]
    type: InvoiceEventType
    created_at: datetime
    data: InvoiceOut


LastEventIdHeader = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": ID_PATTERN}),
    Header(
        alias="Last-Event-ID",
        pattern=ID_PATTERN,
        description="The `id` of the last event that was received; the stream continues after it.",
    ),
]

router = APIRouter(prefix="/invoices/events", tags=["billing"])
# WebSockets authenticate themselves: browsers cannot set their headers.
open_sockets = APIRouter(prefix="/api/v1/invoices/events")


@router.get(
    "",
    summary="Stream the events of the tenant's invoices, as Server-Sent Events.",
    response_class=EventStream,
    responses={
        200: stream_of(
            message("InvoiceEventMessage", InvoiceEvent, events=get_args(InvoiceEventType)),
            description="Events until the token ends or the server restarts; comments while there are none.",
        ),
        **problems(422, UnknownEventError, MissingScopeError),
    },
)
async def follow_invoices(
    actor: Reader, token: BearerToken, request: Request, last_event_id: LastEventIdHeader = None
) -> EventStream:
    """Reconnect with `Last-Event-ID` to miss no event and receive none twice.

    The newest 10 000 events are kept; an older id is a 409.

    `/api/v1/invoices/events/ws` is the same as a WebSocket, whose messages are the `data` of the events. The
    token is in the header `Authorization` or, from a browser, in the subprotocols `bearer` and the token
    itself; the id is the parameter `last_event_id`. It is closed with 1008 when the token has ended, 1012
    when the server restarts, and 1013 when the client was too slow.
    """
    feed = await Feed.open(request, token=token, actor=actor, kind=KIND, last_event_id=last_event_id)
    return EventStream(feed.frames())


@open_sockets.websocket("/ws")
async def follow_invoices_by_websocket(websocket: WebSocket) -> None:
    token, subprotocol = await socket_token(websocket)
    last_event_id = websocket.query_params.get("last_event_id")
    if last_event_id is not None and not re.fullmatch(ID_PATTERN, last_event_id):
        raise Problem(422, "The parameter last_event_id must be the id of an event.")
    actor = await authenticate_reader(websocket, token)
    feed = await Feed.open(websocket, token=token, actor=actor, kind=KIND, last_event_id=last_event_id)
    await serve(websocket, feed, subprotocol=subprotocol)
