"""The routes of this module: summaries, whose tokens are streamed."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ..accounts.public import MissingScopeError, Writer
from ..core.openapi import problems
from .errors import TooBusyError
from .schemas import Done, SummaryRequest, Token
from .streams import EventStream, describe
from .summaries import Summarizer

router = APIRouter(tags=["summaries"])

SUMMARY = describe(
    (["token"], Token.model_json_schema()),
    (["done"], Done.model_json_schema()),
    (["error"], {"$ref": "#/components/schemas/Problem"}),
    description="`token` as often as there are tokens, then `done`, or `error` with a problem document.",
)


async def get_summarizer(request: Request) -> AsyncIterator[Summarizer]:
    """What writes summaries, and a place with it until the answer is over, however it ends."""
    summarizer: Summarizer = request.state.summarizer
    async with summarizer.slot():
        yield summarizer


@router.post(
    "/summaries",
    name="create",
    response_class=EventStream,
    responses={200: SUMMARY, **problems(400, 413, 415, 422, MissingScopeError, TooBusyError)},
)
async def create(
    body: SummaryRequest,
    _: Writer,
    summarizer: Annotated[Summarizer, Depends(get_summarizer)],
    request: Request,
) -> EventStream:
    """Summarize a text, as Server-Sent Events.

    It takes the scope to change things, because a model costs something. When the client leaves, the model is
    stopped; when it fails or takes longer than a minute, the last event is `error`. Where as many are being
    written as possible, a request waits for some seconds, and then is told to come again.
    """
    return EventStream(summarizer.frames(body.text, request.url.path))
