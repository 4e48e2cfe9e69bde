"""The routes of this module: summaries, whose tokens are streamed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ..accounts.public import MissingScopeError, Writer
from ..core.openapi import problems
from .errors import TooBusyError
from .schemas import Done, SummaryRequest, Token
from .streams import EventStream, describe
from .summaries import Summarizer, Summary

router = APIRouter(tags=["summaries"])

SUMMARY = describe(
    (["token"], Token.model_json_schema()),
    (["done"], Done.model_json_schema()),
    (["error"], {"$ref": "#/components/schemas/Problem"}),
    description="`token` as often as there are tokens, then `done`, or `error` with a problem document.",
)


async def get_summarizer(request: Request) -> Summarizer:
    summarizer: Summarizer = request.state.summarizer
    return summarizer


@router.post(
    "/summaries",
    name="create",
    response_class=EventStream,
    responses={200: SUMMARY, **problems(422, MissingScopeError, TooBusyError)},
)
async def create(
    body: SummaryRequest,
    _: Writer,
    summarizer: Annotated[Summarizer, Depends(get_summarizer)],
    request: Request,
) -> Summary:
    """Summarize a text, as Server-Sent Events.

    It takes the scope to change things, because a model costs something. When the client leaves, the model is
    stopped; when it fails or takes longer than a minute, the last event is `error`. Where as many are being
    written as possible, a request waits for some seconds, and then is told to come again.
    """
    return Summary(summarizer, body.text, request.url.path)
